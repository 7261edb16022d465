import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Dialect } from "./dialects/dialect.ts";
import type { Journal } from "./journal.ts";
import type { Answers } from "./scripted-model.ts";

/**
 * Vectors as OpenAI (`POST /v1/embeddings`) and Ollama (`POST /api/embed`) make them: the same text has the same vector. Faults of
 * kind `status` are scripted as for chat, by the first text. A token is four bytes, as everywhere in this server.
 */

const DIMENSIONS = 8;

export interface EmbedRequest {
  model: string;
  input: string | string[];
  dimensions?: number;
  encoding_format?: string;
}

export function isEmbedding(path: string): boolean {
  return path.endsWith("/embeddings") || path === "/api/embed";
}

export async function embed(
  asked: { dialect: Dialect; request: number; body: EmbedRequest },
  model: Answers,
  journal: Journal,
  response: ServerResponse,
): Promise<void> {
  const { dialect, request, body } = asked;
  const input = [body.input].flat();
  const { fault } = await model.answer({ model: body.model, messages: [{ role: "user", content: input[0] ?? "" }] });
  const promptTokens = input.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 4), 0);
  const usage = { promptTokens, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  const said = { text: "", toolCalls: [], usage, fault: fault?.kind ?? null };
  journal.append({ type: "request", request, model: body.model, body });
  journal.append({ type: "reply", request, ...said });
  const status = fault?.kind === "status" ? fault.status : 200;
  const facts = fault?.kind === "status" && fault.message !== undefined ? { message: fault.message } : {};
  const answer = status === 200 ? answerOf(dialect, body, input, promptTokens) : dialect.errorBody(facts);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  journal.append({ type: "end", request, complete: status === 200 });
}

function answerOf({ name }: Dialect, body: EmbedRequest, input: string[], promptTokens: number): object {
  const vectors = input.map((text) => vectorOf(text, body.dimensions ?? DIMENSIONS));
  if (name === "ollama") return { model: body.model, embeddings: vectors, prompt_eval_count: promptTokens };
  const shaped = vectors.map((vector) => (body.encoding_format === "base64" ? base64(vector) : vector));
  const data = shaped.map((embedding, index) => ({ object: "embedding", index, embedding }));
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return { object: "list", data, model: body.model, usage };
}

/** Numbers that 32 bits hold exactly, so that stories can compare them. */
export function vectorOf(text: string, dimensions = DIMENSIONS): number[] {
  const bytes = createHash("sha512").update(text).digest();
  return Array.from({ length: dimensions }, (_, index) => ((bytes[index % bytes.length] ?? 0) - 128) / 128);
}

function base64(vector: number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
