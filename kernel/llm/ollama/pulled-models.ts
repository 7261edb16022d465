import * as z from "zod";
import { err, ok, type Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Fetch } from "../../ports.ts";
import { boundedJson } from "../offered-models.ts";
import type { OfferedModel } from "../provider.ts";

/**
 * The models that the operator pulled: `/api/tags` lists them, `/api/show` says how long a context each was trained for.
 * A model whose details do not come is listed without them.
 */

const tags = z.object({ models: z.array(z.object({ name: z.string().min(1) })) });
const details = z.object({ model_info: z.record(z.string(), z.unknown()) });

export async function pulledModels(
  baseUrl: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Result<OfferedModel[]>> {
  const listed = tags.safeParse(await ask(fetch, `${baseUrl}/api/tags`, { signal }));
  if (!listed.success) return err("provider_unavailable", `ollama gave no list of its models at ${baseUrl}.`);
  const models = listed.data.models.map(({ name }) => name);
  const shown = models.slice(0, LIMITS.ollamaShows).map((id) => withDetails(baseUrl, id, fetch, signal));
  return ok([...(await Promise.all(shown)), ...models.slice(LIMITS.ollamaShows).map((id) => ({ id }))]);
}

async function withDetails(baseUrl: string, id: string, fetch: Fetch, signal: AbortSignal): Promise<OfferedModel> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: id }) };
  const shown = details.safeParse(await ask(fetch, `${baseUrl}/api/show`, { ...init, signal }));
  if (!shown.success) return { id };
  // The key begins with the model's architecture, such as `qwen3.context_length`.
  const found = Object.entries(shown.data.model_info).find(([key]) => key.endsWith(".context_length"))?.[1];
  return typeof found === "number" && found > 0 ? { id, contextTokens: found } : { id };
}

/** The JSON answer, or undefined for whatever went wrong. */
async function ask(
  fetch: Fetch,
  url: string,
  init: { signal: AbortSignal; method?: string; headers?: Record<string, string>; body?: string },
): Promise<unknown> {
  try {
    const response = await fetch(url, init);
    if (response.ok) return await boundedJson(response, init.signal);
    await response.body?.cancel();
    return undefined;
  } catch {
    return undefined;
  }
}
