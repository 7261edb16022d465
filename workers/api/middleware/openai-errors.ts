import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { isOpenAiPath, openAiErrorOf } from "../openai/openai-error.ts";
import type { ProblemDocument } from "../problem.ts";

/**
 * Rewrites the problem documents of OpenAI-compatible routes for OpenAI's clients, whoever wrote them: the door that let
 * nobody in, the schema, or the router. Status and headers stay.
 */
export const openAiErrors: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!isOpenAiPath(c.req.path) || c.res.headers.get("Content-Type") !== "application/problem+json") return;
  const document = (await c.res.json()) as ProblemDocument;
  const { status, headers } = c.res;
  c.res = new Response(JSON.stringify(openAiErrorOf(document)), { status, headers });
  c.res.headers.set("Content-Type", "application/json");
};
