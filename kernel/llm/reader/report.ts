import { LIMITS } from "../../limits.ts";
import { parseJson } from "../wire.ts";
import type { DoneCall } from "./conversation.ts";
import { type Language, PHRASES } from "./language.ts";

/** What came of calls that the input asked for, in words: one line a call, values as the tools gave them. */

/** The field of a result that is its answer, where it has one of these. */
const ANSWER_FIELDS = ["result", "value", "answer", "text", "content", "local", "utc", "path"];

export function report(done: readonly DoneCall[], language: Language): string {
  return done
    .map((call) => line(call, language))
    .join("\n")
    .slice(0, LIMITS.readerReportChars);
}

function line({ name, arguments: json, result }: DoneCall, language: Language): string {
  const phrases = PHRASES[language];
  if (result["ok"] === false) return phrases.failed(name, words(result["code"]), words(result["message"]));
  const input = (parseJson(json) ?? {}) as Record<string, unknown>;
  const answer = answerOf(result);
  if (name === "calculate") return `${words(input["expression"])} = ${answer}`;
  if (name === "memory_note") return phrases.noted(words(input["content"]));
  if (name === "ask_person") return phrases.answered(answer);
  return `${name}: ${answer}`;
}

function answerOf(result: Readonly<Record<string, unknown>>): string {
  const { ok: _, ...facts } = result;
  const field = ANSWER_FIELDS.find((name) => ["string", "number", "boolean"].includes(typeof facts[name]));
  if (field !== undefined) return words(facts[field]);
  return Object.keys(facts).length === 0 ? "ok" : JSON.stringify(facts);
}

function words(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}
