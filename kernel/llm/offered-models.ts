import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readText } from "./body-reader.ts";
import type { OfferedModel } from "./provider.ts";
import { parseJson } from "./wire.ts";

/** Reads the answer of `GET /models`: OpenAI, DeepSeek and Kimi name ids, Kimi the window too. */

const list = z.object({
  data: z.array(
    z.object({
      id: z.string().min(1),
      context_length: z.int().positive().nullish().catch(undefined),
      created: z.int().positive().nullish().catch(undefined),
    }),
  ),
});

export async function offeredModels(response: Response, signal: AbortSignal): Promise<Result<OfferedModel[]>> {
  const value = await boundedJson(response, signal);
  const parsed = list.safeParse(value);
  if (!parsed.success) return err("provider_malformed", "The vendor's list of models is not understood.");
  return ok(
    parsed.data.data.map(({ id, context_length: contextTokens, created }) => ({
      id,
      ...(created === null || created === undefined ? {} : { created }),
      ...(contextTokens === null || contextTokens === undefined ? {} : { contextTokens }),
    })),
  );
}

/** The JSON of a small answer, or undefined when it did not come whole or is none. */
export async function boundedJson(response: Response, signal: AbortSignal): Promise<unknown> {
  const bounds = { signal, idleMs: LIMITS.modelListMs, maxBytes: LIMITS.modelListBytes };
  const { text, why } = await readText(response.body, bounds);
  return why === "eof" ? parseJson(text) : undefined;
}
