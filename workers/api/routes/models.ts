import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { variablesOf } from "../../../durable-objects/env.ts";
import { systemClock, systemFetch } from "../../../durable-objects/ports.ts";
import { Embedders } from "../../../kernel/llm/embeddings/embedders.ts";
import { ModelOffers } from "../../../kernel/llm/model-offers.ts";
import type { ModelInfo } from "../../../kernel/llm/provider.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import type { AppEnv } from "../context.ts";
import { needs } from "../roles.ts";
import { failures, json } from "../route.ts";

/** What models this kernel serves. `GET /v1/models` has the shape of OpenAI's, so that its clients can list them. */

const tags = ["models"];

const model = z
  .object({
    id: z.string().meta({ description: "`provider/model`." }),
    object: z.literal("model"),
    created: z.int().meta({ description: "Seconds since the epoch as the vendor says; 0 where it does not." }),
    owned_by: z.string(),
    contextTokens: z.int(),
    maxOutputTokens: z.int().meta({ description: "0 = it makes embeddings." }),
    capabilities: z.object({
      tools: z.boolean(),
      vision: z.boolean(),
      reasoning: z.boolean(),
      prefill: z.boolean().meta({ description: "A reply that a crash cut goes on from where it was." }),
      json: z.boolean(),
    }),
    price: z
      .looseObject({ version: z.string() })
      .meta({ description: "Nano-dollars per million tokens, and its source." }),
  })
  .meta({ id: "Model" });

const modelList = z
  .object({
    object: z.literal("list"),
    data: z.array(model),
    unpriced: z.array(z.string()).meta({
      description: "Offered by vendors and not served, because the price is unknown: `AOS_MODEL_PRICES` sets it.",
    }),
    unlisted: z.array(z.object({ provider: z.string(), reason: z.string() })).meta({
      description: "Providers whose own list could not be read: their models are those of the kernel's tables.",
    }),
  })
  .meta({ id: "ModelList" });

const listModels = createRoute({
  method: "get",
  path: "/v1/models",
  security: needs("viewer"),
  tags,
  summary: "The models that are served",
  responses: {
    200: json(modelList, "All of them, as the vendors list them now."),
    ...failures,
  },
});

export function models(app: OpenAPIHono<AppEnv>): void {
  const offers = new ModelOffers(systemClock);

  app.openapi(listModels, async (c) => {
    const variables = variablesOf(c.env);
    const listings = await makeProviders(variables, systemFetch).listings(offers);
    const vectors = new Embedders(variables, { fetch: systemFetch, clock: systemClock }).list();
    const isVectors = (name: string) => vectors.some(({ id }) => id === name);
    const spoken = listings.flatMap((listing) => listing.models).filter(({ id }) => !isVectors(id));
    const data = [...spoken, ...vectors].map(modelView);
    const unpriced = listings
      .flatMap((listing) => listing.unpriced.map((id) => `${listing.provider}/${id}`))
      .filter((name) => !isVectors(name));
    const unlisted = listings.flatMap(({ provider: name, error }) =>
      error === null ? [] : [{ provider: name, reason: error.message }],
    );
    return c.json({ object: "list" as const, data, unpriced, unlisted }, 200);
  });
}

function modelView(info: ModelInfo): z.output<typeof model> {
  return { ...info, object: "model", created: info.created ?? 0, owned_by: ownerOf(info.id), price: { ...info.price } };
}

function ownerOf(modelId: string): string {
  return modelId.slice(0, modelId.indexOf("/"));
}
