import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { newId } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { AnswerEvents } from "../openai/answer-events.ts";
import { answererOf } from "../openai/answerer-of.ts";
import { cacheHeader, cacheWish, jsonOrStream, openAiFailures, openAiProblem } from "../openai/descriptions.ts";
import { eventFrames } from "../openai/event-frames.ts";
import { ResponseEvents } from "../openai/response-events.ts";
import { type ResponseHeading, responseOf, statusOf } from "../openai/response-object.ts";
import { conversationOf, responsesBody } from "../openai/responses-body.ts";
import { needs } from "../roles.ts";
import { takes } from "../route.ts";

/** OpenAI's Responses API, over the same models and agents as chat completions. */

const response = z.looseObject({ id: z.string(), object: z.string(), status: z.string() }).meta({ id: "Response" });

const respond = createRoute({
  method: "post",
  path: "/v1/responses",
  security: needs("operator"),
  tags: ["OpenAI"],
  summary: "Answer an input, as OpenAI's newer clients ask for it",
  middleware: jsonBody,
  request: { headers: cacheHeader, body: takes(responsesBody.meta({ id: "ResponseBody" })) },
  responses: { 200: jsonOrStream(response, "The response, or its events."), ...openAiFailures },
});

export function responses(app: OpenAPIHono<AppEnv>): void {
  app.openapi(respond, async (c) => {
    const body = c.req.valid("json");
    const callId = newId("call", { clock: systemClock, random: systemRandom });
    const answerer = answererOf(c, { ...conversationOf(body), cache: cacheWish(c) }, callId);
    if (!answerer.ok) return openAiProblem(c, answerer.error);
    const heading = { id: `resp_${callId}`, created_at: Math.floor(systemClock.now() / 1_000), body };
    const events = new AnswerEvents(answerer.value, c.req.raw.signal);
    return body.stream === true ? streamed(c, heading, events) : whole(c, heading, events);
  });
}

async function whole(c: AppContext, heading: ResponseHeading, events: AnswerEvents) {
  const result = await events.result();
  if (!result.ok) return openAiProblem(c, result.error);
  return c.json(responseOf(heading, statusOf(result.value), result.value), 200);
}

/** A failure that comes before any text is a reply with its status; a later one stands in the stream. */
async function streamed(c: AppContext, heading: ResponseHeading, events: AnswerEvents) {
  const first = await events.next(LIMITS.heartbeatMs);
  if (first?.type === "end" && !first.result.ok) return openAiProblem(c, first.result.error);
  return eventFrames(events, first, new ResponseEvents(heading));
}
