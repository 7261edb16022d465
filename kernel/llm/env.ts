import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS_TAKE, limitsText } from "./gate/account-limits.ts";
import { type PriceList, parsePrices } from "./price-list.ts";

/**
 * The variables that configure models. Empty means unset. The start of a shell parses them first, so that a bad value
 * stops it with one line that names the variable and what it takes; values are never repeated, they may be secrets.
 */

const PRICES_TAKE = "provider/model=input:cached:output in US dollars per million tokens, separated by commas";

const key = z.string().regex(/^[\x21-\x7e]+$/, "a key: printable ASCII without spaces");

const baseUrl = z
  .string()
  .refine(isHttpUrl, "an http or https URL such as https://models.example/v1")
  .transform((url) => url.replace(/\/+$/, ""));

const modelName = z.string().regex(/^[a-z]+\/\S+$/, "provider/model, such as openai/gpt-6-luna or local/reader");

const limits = z.string().refine((text) => limitsText.safeParse(text).success, LIMITS_TAKE);
const prices = z
  .string()
  .refine((text) => parsePrices(text) !== null, PRICES_TAKE)
  .transform((text): PriceList => parsePrices(text) ?? new Map());

const contextTokens = z
  .string()
  .regex(/^\d{3,8}$/, "a number of tokens, such as 32768")
  .transform(Number);

const modelEnv = z.object({
  AOS_DEFAULT_MODEL: modelName.optional(),
  OPENAI_API_KEY: key.optional(),
  OPENAI_BASE_URL: baseUrl.optional(),
  DEEPSEEK_API_KEY: key.optional(),
  DEEPSEEK_BASE_URL: baseUrl.optional(),
  KIMI_API_KEY: key.optional(),
  MOONSHOT_API_KEY: key.optional(),
  KIMI_BASE_URL: baseUrl.optional(),
  OLLAMA_BASE_URL: baseUrl.optional(),
  OPENAI_LIMITS: limits.optional(),
  DEEPSEEK_LIMITS: limits.optional(),
  KIMI_LIMITS: limits.optional(),
  OLLAMA_LIMITS: limits.optional(),
  OLLAMA_CONTEXT_TOKENS: contextTokens.optional(),
  AOS_MODEL_PRICES: prices.optional(),
});
export type ModelEnv = z.output<typeof modelEnv>;
export type ModelVariable = keyof ModelEnv;

/** The parsed variables, or `invalid_input` with the first bad one in a line. */
export function parseEnv(env: Readonly<Record<string, string | undefined>>): Result<ModelEnv> {
  const names = Object.keys(modelEnv.shape) as ModelVariable[];
  const given = names.map((name) => [name, env[name]?.trim() || undefined]);
  const parsed = modelEnv.safeParse(Object.fromEntries(given));
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return err("invalid_input", `${issue?.path.join(".")} takes ${issue?.message}`);
}

/** Errors name base URLs, so none holds a user, a password or a query, where keys are kept too. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return [url.username, url.password, url.search, url.hash].every((part) => part === "");
}
