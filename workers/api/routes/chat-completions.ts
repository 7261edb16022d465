import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { newId } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { AnswerEvents } from "../openai/answer-events.ts";
import { answererOfAny } from "../openai/answerer-of.ts";
import { type ChatBody, chatBody, conversationOf } from "../openai/chat-body.ts";
import { ChatChunks, chatCompletion } from "../openai/chat-completion.ts";
import { cacheHeader, cacheWish, jsonOrStream, openAiFailures, openAiProblem } from "../openai/descriptions.ts";
import { eventFrames } from "../openai/event-frames.ts";
import type { Naming } from "../openai/fallback-model.ts";
import { needs } from "../roles.ts";
import { takes } from "../route.ts";

/** OpenAI's chat completions: any of the kernel's models, budgeted and metered, or an agent. */

const completion = z
  .looseObject({ id: z.string(), object: z.string(), model: z.string() })
  .meta({ id: "ChatCompletion" });

const complete = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  security: needs("operator"),
  tags: ["OpenAI"],
  summary: "Complete a conversation, as OpenAI's clients ask for it",
  middleware: jsonBody,
  request: { headers: cacheHeader, body: takes(chatBody.meta({ id: "ChatCompletionBody" })) },
  responses: { 200: jsonOrStream(completion, "The completion, or its chunks."), ...openAiFailures },
});

export function chatCompletions(app: OpenAPIHono<AppEnv>): void {
  app.openapi(complete, async (c) => {
    const body = c.req.valid("json");
    const naming = { model: body.model, callId: newId("call", { clock: systemClock, random: systemRandom }) };
    const answerer = answererOfAny(c, { ...conversationOf(body), cache: cacheWish(c) }, body.models ?? [], naming);
    if (!answerer.ok) return openAiProblem(c, answerer.error);
    const events = new AnswerEvents(answerer.value, c.req.raw.signal);
    return body.stream === true ? streamed(c, body, naming, events) : whole(c, naming, events);
  });
}

/** Who is asked by now: of several models, the one that answers once there is something of its reply. */
function headingOf({ model, callId }: Naming) {
  return { id: `chatcmpl-${callId}`, model, created: Math.floor(systemClock.now() / 1_000) };
}

async function whole(c: AppContext, naming: Naming, events: AnswerEvents) {
  const result = await events.result();
  return result.ok ? c.json(chatCompletion(headingOf(naming), result.value), 200) : openAiProblem(c, result.error);
}

/** A failure that comes before any text is a reply with its status; a later one stands in the stream. */
async function streamed(c: AppContext, body: ChatBody, naming: Naming, events: AnswerEvents) {
  const first = await events.next(LIMITS.heartbeatMs);
  if (first?.type === "end" && !first.result.ok) return openAiProblem(c, first.result.error);
  const writer = new ChatChunks(headingOf(naming), body.stream_options?.include_usage === true);
  return eventFrames(events, first, writer);
}
