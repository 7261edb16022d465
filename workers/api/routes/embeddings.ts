import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { variablesOf } from "../../../durable-objects/env.ts";
import { systemClock, systemFetch, systemHash, systemRandom } from "../../../durable-objects/ports.ts";
import type { Result } from "../../../kernel/errors.ts";
import { newId } from "../../../kernel/id.ts";
import { embeddingsKey } from "../../../kernel/llm/cache/cached-reply.ts";
import { Embedders } from "../../../kernel/llm/embeddings/embedders.ts";
import type { EmbeddingReply } from "../../../kernel/llm/embeddings/embedding.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { cachePortsOf } from "../openai/cache-ports-of.ts";
import { cachedCall, replyOf } from "../openai/cached-call.ts";
import { cacheHeader, cacheWish, openAiFailures, openAiProblem } from "../openai/descriptions.ts";
import { embeddingList, embeddingsBody } from "../openai/embeddings-body.ts";
import { meterOf, payerOf } from "../openai/meter-of.ts";
import { type EmbeddingCall, meteredEmbeddings } from "../openai/metered-embeddings.ts";
import { needs } from "../roles.ts";
import { json, takes } from "../route.ts";

/** OpenAI's embeddings, by the vendors that make them, budgeted and metered. */

const embedding = z.object({
  object: z.literal("embedding"),
  index: z.int(),
  embedding: z
    .union([z.array(z.number()), z.string()])
    .meta({ description: "Numbers, or with `base64` 32-bit floats, little-endian, in base64." }),
});

const embeddingsList = z
  .object({
    object: z.literal("list"),
    data: z.array(embedding),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: "EmbeddingList" });

const embed = createRoute({
  method: "post",
  path: "/v1/embeddings",
  security: needs("operator"),
  tags: ["OpenAI"],
  summary: "Make vectors of texts, as OpenAI's clients ask for it",
  middleware: jsonBody,
  request: { headers: cacheHeader, body: takes(embeddingsBody.meta({ id: "EmbeddingsBody" })) },
  responses: { 200: json(embeddingsList, "One vector a text, in their order."), ...openAiFailures },
});

export function embeddings(app: OpenAPIHono<AppEnv>): void {
  app.openapi(embed, async (c) => {
    const body = c.req.valid("json");
    const served = new Embedders(variablesOf(c.env), { fetch: systemFetch, clock: systemClock }).get(body.model);
    if (!served.ok) return openAiProblem(c, served.error);
    const input = typeof body.input === "string" ? [body.input] : body.input;
    const request = { model: served.value.model, input, dimensions: body.dimensions ?? undefined };
    const callId = newId("call", { clock: systemClock, random: systemRandom });
    const call = { callId, ...payerOf(c), served: served.value, request };
    const answered = await vectorsOf(c, call);
    return answered.ok ? c.json(embeddingList(body, answered.value), 200) : openAiProblem(c, answered.error);
  });
}

/** The same texts have the same vectors, so they are made once; unless the client wants them made. */
async function vectorsOf(c: AppContext, call: EmbeddingCall): Promise<Result<EmbeddingReply>> {
  const make = (signal: AbortSignal) => meteredEmbeddings(meterOf(c), call, signal);
  const { signal } = c.req.raw;
  if (cacheWish(c) === false) {
    const made = await make(signal);
    return made.ok ? replyOf(made.value.outcome) : made;
  }
  const { callId, tenant, served, request } = call;
  const { id, price } = served.info;
  const ports = cachePortsOf(c, c.var.replies.embeddings, { callId, provider: served.provider, model: id, price });
  const key = embeddingsKey(tenant, id, request, systemHash);
  return cachedCall(ports, { key, make, isKeepable: () => true }, signal);
}
