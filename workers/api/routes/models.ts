import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { variablesOf } from "../../../durable-objects/env.ts";
import type { ModelInfo } from "../../../kernel/llm/provider.ts";
import { makeProviders, type Providers } from "../../../kernel/llm/providers.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { needs } from "../roles.ts";
import { failures, json } from "../route.ts";

/** What models this kernel serves. `GET /v1/models` has the shape of OpenAI's, so that its clients can list them. */

const tags = ["models"];

const model = z
  .object({
    id: z.string().meta({ description: "`provider/model`." }),
    object: z.literal("model"),
    owned_by: z.string(),
    contextTokens: z.int(),
    maxOutputTokens: z.int(),
    price: z
      .looseObject({ version: z.string() })
      .meta({ description: "Nano-dollars per million tokens, and its source." }),
  })
  .meta({ id: "Model" });

const listModels = createRoute({
  method: "get",
  path: "/v1/models",
  security: needs("viewer"),
  tags,
  summary: "The models that are served",
  responses: {
    200: json(z.object({ object: z.literal("list"), data: z.array(model) }).meta({ id: "ModelList" }), "All of them."),
    ...failures,
  },
});

export function models(app: OpenAPIHono<AppEnv>): void {
  app.openapi(listModels, (c) => {
    const data = providersOf(c).list().map(modelView);
    return c.json({ object: "list" as const, data }, 200);
  });
}

/** Only described here, never called, so the door to the network stays shut. */
function providersOf(c: AppContext): Providers {
  return makeProviders(variablesOf(c.env), () => Promise.reject(new Error("listing models takes no network")));
}

function modelView(info: ModelInfo): z.output<typeof model> {
  return { ...info, object: "model", owned_by: ownerOf(info.id), price: { ...info.price } };
}

function ownerOf(modelId: string): string {
  return modelId.slice(0, modelId.indexOf("/"));
}
