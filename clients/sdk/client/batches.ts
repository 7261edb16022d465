import { LIMITS } from "../../../kernel/limits.ts";
import type { BatchView, JOB_STATES } from "../../../kernel/llm/batch/job-state.ts";
import { everyItem } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** One request of a batch. Without `maxOutputTokens` a reply ends at 4,096 tokens. */
export interface BatchRequestSpec {
  /** Unique in the batch; its result carries it. At most 64 characters. */
  customId: string;
  /** `provider/model`. */
  model: string;
  /** As in chat completions. */
  messages: readonly object[];
  tools?: readonly object[];
  maxOutputTokens?: number;
  temperature?: number;
}

/** A batch in a list: `asOf` says when its job last told where it is. */
export interface BatchEntry {
  id: string;
  state: (typeof JOB_STATES)[number];
  progress: BatchView["progress"];
  createdAt: string;
  asOf: string;
}

/** A line of the results, in the shape of OpenAI's output files. */
export interface BatchResult {
  id: string;
  custom_id: string;
  /** `body` is a chat completion; null when the request ended without a reply. */
  response: { status_code: number; body: Record<string, unknown> } | null;
  error: { code: string; message: string } | null;
  costNanoUsd: number;
}

/** Routes for batches: many model calls as one job, at batch prices where the vendor has them. */
export class Batches {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST /v1/batches`: requests, or a file of them in JSON Lines as bytes. One bad request refuses all. */
  create(
    requests: readonly BatchRequestSpec[] | Uint8Array<ArrayBuffer>,
    options: { idempotencyKey?: string } = {},
  ): Promise<BatchView> {
    const lines = requests instanceof Uint8Array;
    return this.#transport.json("/v1/batches", {
      method: "POST",
      body: lines ? requests : { requests },
      ...(lines && { headers: { "content-type": "application/jsonl" } }),
      idempotencyKey: options.idempotencyKey ?? true,
      deadlineMs: LIMITS.clientBulkMs,
    });
  }

  /** `GET /v1/batches/{id}`. */
  get(batchId: string): Promise<BatchView> {
    return this.#transport.json(batchPath(batchId));
  }

  /** `GET /v1/batches`: every batch of the tenant, the oldest first. */
  list(): AsyncGenerator<BatchEntry> {
    return everyItem(this.#transport, "/v1/batches", {});
  }

  /** `DELETE /v1/batches/{id}`: what was answered keeps its result and its price. `conflict` when it has ended. */
  cancel(batchId: string): Promise<BatchView> {
    return this.#transport.json(batchPath(batchId), { method: "DELETE" });
  }

  /** `GET .../results`: the results in the order of the requests, read as they come. `conflict` while it has not ended. */
  async *results(batchId: string): AsyncGenerator<BatchResult> {
    const signal = AbortSignal.timeout(LIMITS.clientBulkMs);
    for await (const line of linesOf(await this.#results(batchId, signal))) yield JSON.parse(line) as BatchResult;
  }

  /** The same, byte for byte. */
  async resultsFile(batchId: string): Promise<ReadableStream<Uint8Array>> {
    return this.#results(batchId, AbortSignal.timeout(LIMITS.clientBulkMs));
  }

  async #results(batchId: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#transport.stream(`${batchPath(batchId)}/results`, { signal });
    return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
  }
}

function batchPath(batchId: string): string {
  return `/v1/batches/${encodeURIComponent(batchId)}`;
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
