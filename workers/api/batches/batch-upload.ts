import { createHash } from "node:crypto";
import type { BatchJobRpc } from "../../../durable-objects/batch-job/rpc.ts";
import { variablesOf } from "../../../durable-objects/env.ts";
import { err, type InputIssue, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { type BatchRequest, type ParsedRequest, requestOfLine } from "../../../kernel/llm/batch/batch-request.ts";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import { JsonLines } from "../../../kernel/llm/batch/json-lines.ts";
import { makeProviders, type Providers } from "../../../kernel/llm/providers.ts";
import type { Env } from "../../env.ts";
import { answer } from "../../objects.ts";
import { textIssues } from "../input-issues.ts";
import { eachChunk } from "./body-chunks.ts";

/**
 * Requests on their way into a job's object: each is checked, and those that are good are handed over in chunks. One bad
 * request refuses the whole batch, by its line, because a batch that runs in part is worse than none.
 */
export class BatchUpload {
  readonly #job: BatchJobRpc;
  readonly #providers: Providers;
  readonly #hash = createHash("sha256");
  readonly #names = new Set<string>();
  readonly #known = new Map<string, string | null>();
  readonly #issues: InputIssue[] = [];
  #chunk: BatchRequest[] = [];
  #chunkBytes = 0;
  #sent = 0;
  #total = 0;

  constructor(env: Env, job: BatchJobRpc) {
    this.#job = job;
    this.#providers = makeProviders(variablesOf(env), () => Promise.reject(new Error("checking takes no network")));
  }

  /** Of everything that was read. */
  get sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** A body of JSON Lines. Empty lines count as lines and are no requests. */
  async lines(request: Request): Promise<Result<BatchView>> {
    const lines = new JsonLines(LIMITS.batchLineBytes);
    let number = 0;
    const take = async (chunk?: Uint8Array): Promise<Result<null>> => {
      if (chunk !== undefined) this.#hash.update(chunk);
      const found = linesOf(lines, chunk);
      if (found === null) return err("invalid_json", `The body is not UTF-8 text after line ${number}.`);
      for (const line of found) {
        number += 1;
        if (line.trim() !== "") this.#take(parsed(line), `line ${number}`, line.length);
        const handed = await this.#handOver(LIMITS.batchChunkBytes);
        if (!handed.ok) return handed;
      }
      return ok(null);
    };
    const read = await eachChunk(request, take);
    if (!read.ok) return read;
    const last = await take();
    return last.ok ? this.#seal() : last;
  }

  /** The requests of a JSON body, which `body` was. */
  async requests(requests: readonly BatchRequest[], body: string): Promise<Result<BatchView>> {
    this.#hash.update(body);
    for (const [index, request] of requests.entries()) {
      const bytes = JSON.stringify(request).length;
      this.#take(bytes > LIMITS.batchLineBytes ? TOO_LONG : { ok: true, request }, `$.requests[${index}]`, bytes);
      const handed = await this.#handOver(LIMITS.batchChunkBytes);
      if (!handed.ok) return handed;
    }
    return this.#seal();
  }

  #take(given: ParsedRequest, where: string, bytes: number): void {
    const issues = given.ok ? this.#issuesOf(given.request) : given.issues;
    for (const { path, message } of issues) this.#issues.push({ path: `${where}${path.slice(1)}`, message });
    if (!given.ok || this.#issues.length > 0) return;
    this.#names.add(given.request.customId);
    this.#chunk.push(given.request);
    this.#chunkBytes += bytes;
    this.#total += 1;
  }

  #issuesOf(request: BatchRequest): InputIssue[] {
    if (this.#total >= LIMITS.batchRequests)
      return [{ path: "$", message: `More than ${LIMITS.batchRequests} requests` }];
    const { customId, model } = request;
    const taken = this.#names.has(customId) ? [{ path: "$.customId", message: "Another request has this id" }] : [];
    const refused = this.#refusal(model);
    const unserved = refused === null ? [] : [{ path: "$.model", message: refused }];
    return [...taken, ...unserved, ...textIssues("json", request)];
  }

  #refusal(model: string): string | null {
    const known = this.#known.get(model);
    if (known !== undefined) return known;
    const served = this.#providers.get(model);
    const refusal = served.ok ? null : served.error.message;
    this.#known.set(model, refusal);
    return refusal;
  }

  /** Hands the chunk over when it holds `bytes`. A batch that is refused anyway is only read to its end. */
  async #handOver(bytes: number): Promise<Result<null>> {
    if (this.#issues.length > 0 || this.#chunk.length === 0 || this.#chunkBytes < bytes) return ok(null);
    const chunk = this.#chunk;
    const position = this.#sent;
    this.#chunk = [];
    this.#chunkBytes = 0;
    this.#sent += chunk.length;
    return answer(this.#job.add(position, chunk));
  }

  async #seal(): Promise<Result<BatchView>> {
    const [first] = this.#issues;
    if (first !== undefined) {
      const issues = this.#issues.slice(0, LIMITS.inputIssues);
      return err("invalid_input", `${first.path}: ${first.message}. Nothing of the batch was accepted.`, { issues });
    }
    if (this.#total === 0) return err("invalid_input", "The batch holds no request.");
    const handed = await this.#handOver(0);
    return handed.ok ? answer(this.#job.seal(this.#total)) : handed;
  }
}

const ENCODER = new TextEncoder();
const TOO_LONG: ParsedRequest = {
  ok: false,
  issues: [{ path: "$", message: `A request holds at most ${LIMITS.batchLineBytes} bytes` }],
};

/** Null for what is not UTF-8. */
function linesOf(lines: JsonLines, chunk: Uint8Array | undefined): string[] | null {
  try {
    return [...lines.take(chunk)];
  } catch {
    return null;
  }
}

function parsed(line: string): ParsedRequest {
  const mayBeLong = line.length * 3 > LIMITS.batchLineBytes;
  return mayBeLong && ENCODER.encode(line).length > LIMITS.batchLineBytes ? TOO_LONG : requestOfLine(line);
}
