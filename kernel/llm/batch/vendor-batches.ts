import * as z from "zod";
import { withDeadline } from "../../deadline.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Fetch } from "../../ports.ts";
import { readBody, readText } from "../body-reader.ts";
import { type Account, type ChatFailure, httpFailure, malformed, networkFailure, withoutKey } from "../classify.ts";
import { parseJson } from "../wire.ts";
import { JsonLines } from "./json-lines.ts";

/**
 * The file and batch endpoints that OpenAI and Kimi share. Sources: developers.openai.com/api/reference (files, batches) and
 * platform.kimi.ai/docs/api (batch-create, batch-list), read November 2026. One request each, no retries; whoever calls
 * decides what a lost answer means.
 */

const STATUSES = [
  "validating",
  "failed",
  "in_progress",
  "finalizing",
  "completed",
  "expired",
  "cancelling",
  "cancelled",
] as const;

const vendorBatch = z.object({
  id: z.string(),
  status: z.enum(STATUSES),
  created_at: z.number().nullish(),
  output_file_id: z.string().nullish(),
  error_file_id: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .object({
      data: z
        .array(z.object({ code: z.string().nullish(), message: z.string().nullish(), line: z.number().nullish() }))
        .nullish(),
    })
    .nullish(),
});
export type VendorBatch = z.infer<typeof vendorBatch>;

const vendorFile = z.object({ id: z.string() });
const fileList = z.object({
  data: z.array(z.object({ id: z.string(), filename: z.string().nullish() })),
  has_more: z.boolean().nullish(),
});
const vendorList = z.object({ data: z.array(vendorBatch), has_more: z.boolean().nullish() });

export type Answer<T> = { ok: true; value: T } | { ok: false; failure: ChatFailure; status: number | null };

export interface BatchAccount extends Account {
  apiKey: string;
}

/** Where our name of a lot stands at the vendor. */
const TAG = "aos_lot";
const PAGE = 100;

export class VendorBatches {
  readonly #account: BatchAccount;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #window: string;

  constructor(account: BatchAccount, ports: { fetch: Fetch; clock: Clock }, window: string) {
    this.#account = account;
    this.#fetch = ports.fetch;
    this.#clock = ports.clock;
    this.#window = window;
  }

  /** Uploads an input file. */
  async upload(name: string, lines: readonly string[], signal: AbortSignal): Promise<Answer<{ id: string }>> {
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new Blob(lines as string[], { type: "application/jsonl" }), name);
    return this.#ask(vendorFile, "/files", { method: "POST", body: form }, signal);
  }

  async create(fileId: string, tag: string, signal: AbortSignal): Promise<Answer<VendorBatch>> {
    const body = JSON.stringify({
      input_file_id: fileId,
      endpoint: "/v1/chat/completions",
      completion_window: this.#window,
      metadata: { [TAG]: tag },
    });
    const headers = { "content-type": "application/json" };
    return this.#ask(vendorBatch, "/batches", { method: "POST", body, headers }, signal);
  }

  async get(id: string, signal: AbortSignal): Promise<Answer<VendorBatch>> {
    return this.#ask(vendorBatch, `/batches/${encodeURIComponent(id)}`, {}, signal);
  }

  async cancel(id: string, signal: AbortSignal): Promise<Answer<VendorBatch>> {
    return this.#ask(vendorBatch, `/batches/${encodeURIComponent(id)}/cancel`, { method: "POST" }, signal);
  }

  async remove(fileId: string, signal: AbortSignal): Promise<void> {
    await this.#ask(z.unknown(), `/files/${encodeURIComponent(fileId)}`, { method: "DELETE" }, signal);
  }

  /** The ids of the input files with this name. */
  async filesNamed(name: string, signal: AbortSignal): Promise<Answer<string[]>> {
    const found: string[] = [];
    let after = "";
    for (let page = 0; page < LIMITS.batchListPages; page++) {
      const listed = await this.#ask(fileList, `/files?purpose=batch&limit=${PAGE}${after}`, {}, signal);
      if (!listed.ok) return listed;
      const { data, has_more: more } = listed.value;
      found.push(...data.filter(({ filename }) => filename === name).map(({ id }) => id));
      const last = data.at(-1);
      if (more !== true || last === undefined) break;
      after = `&after=${encodeURIComponent(last.id)}`;
    }
    return { ok: true, value: found };
  }

  /** The batch that carries `tag` and was not refused; null when the whole list has none. */
  async find(tag: string, signal: AbortSignal): Promise<Answer<VendorBatch | null>> {
    let after = "";
    for (let page = 0; page < LIMITS.batchListPages; page++) {
      const listed = await this.#ask(vendorList, `/batches?limit=${PAGE}${after}`, {}, signal);
      if (!listed.ok) return listed;
      const { data, has_more: more } = listed.value;
      const found = data.find(({ metadata, status }) => metadata?.[TAG] === tag && status !== "failed");
      if (found !== undefined) return { ok: true, value: found };
      const last = data.at(-1);
      if (more !== true || last === undefined) return { ok: true, value: null };
      after = `&after=${encodeURIComponent(last.id)}`;
    }
    return { ok: false, failure: malformed("has no end: the list of batches", this.#account), status: null };
  }

  /** The lines of a file, or why it broke off. A file is not bounded in size, its lines are. */
  async *lines(fileId: string, signal: AbortSignal): AsyncGenerator<Answer<string>, void, void> {
    const sent = await this.#send(`/files/${encodeURIComponent(fileId)}/content`, {}, signal);
    if (!sent.ok) return yield sent;
    const lines = new JsonLines(LIMITS.modelReplyBytes);
    const bounds = { signal, idleMs: LIMITS.modelIdleMs, maxBytes: Number.MAX_SAFE_INTEGER };
    for await (const item of readBody(sent.value.body, bounds)) {
      if (item.type === "end" && item.why !== "eof") return yield this.#broken(item.why);
      for (const line of lines.take(item.type === "bytes" ? item.bytes : undefined)) yield { ok: true, value: line };
    }
  }

  async #ask<T>(schema: z.ZodType<T>, path: string, init: RequestInit, signal: AbortSignal): Promise<Answer<T>> {
    return withDeadline(LIMITS.batchVendorMs, signal, async (within) => {
      const sent = await this.#send(path, init, within);
      if (!sent.ok) return sent;
      const bounds = { signal: within, idleMs: LIMITS.modelIdleMs, maxBytes: LIMITS.modelReplyBytes };
      const { text, why } = await readText(sent.value.body, bounds);
      if (why !== "eof") return this.#broken(why);
      const parsed = schema.safeParse(parseJson(text));
      if (parsed.success) return { ok: true, value: parsed.data };
      return { ok: false, failure: malformed("is no answer of a batch endpoint", this.#account), status: null };
    });
  }

  async #send(path: string, init: RequestInit, signal: AbortSignal): Promise<Answer<Response>> {
    const { baseUrl, apiKey } = this.#account;
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${apiKey}` };
    let response: Response;
    try {
      response = await this.#fetch(`${baseUrl}${path}`, { ...init, headers, signal });
    } catch (error) {
      return { ok: false, failure: networkFailure(error, this.#account), status: null };
    }
    if (response.ok) return { ok: true, value: response };
    const bounds = { signal, idleMs: LIMITS.modelIdleMs, maxBytes: LIMITS.modelErrorBytes };
    const { text } = await readText(response.body, bounds);
    const answer = { status: response.status, headers: response.headers, body: parseJson(text) };
    const failure = httpFailure(answer, this.#account, this.#clock.now());
    return { ok: false, failure: withoutKey(failure, apiKey), status: response.status };
  }

  #broken(why: string): Answer<never> {
    return { ok: false, failure: malformed(`broke off (${why})`, this.#account), status: null };
  }
}
