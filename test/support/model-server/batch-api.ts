import type { BatchScript, BilledBatch, CreationFault } from "./batch-script.ts";

/**
 * The file and batch endpoints of OpenAI and Kimi, scripted, as one function from request to response: stories in workerd
 * call it directly, the model server puts it behind a socket. What it has in memory outlives the kernel that asks it.
 * A thrown error stands for a connection that dies.
 */

interface Line {
  custom_id: string;
  body: { model: string; messages: { role: string; content: string }[] };
}

interface Batch extends BilledBatch {
  inputFileId: string;
  createdAt: number;
  fault: CreationFault | undefined;
  lines: Line[];
  done: number;
  script: BatchScript;
  outputFileId: string | null;
  errorFileId: string | null;
}

const DEFAULTS: BatchScript = { processMs: 0 };
const ENDED = new Set(["completed", "expired", "cancelled", "failed"]);

export class BatchApi {
  readonly #now: () => number;
  readonly #files = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #batches: Batch[] = [];
  #script: BatchScript = DEFAULTS;
  #ids = 0;
  /** Everything that was asked for, in order: method and path. */
  readonly asked: string[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  script(script: BatchScript): void {
    this.#script = { ...DEFAULTS, ...script };
  }

  /** The vendor's books. */
  books(): BilledBatch[] {
    return this.#batches.map(({ id, tag, status, requests, bills }) => ({ id, tag, status, requests, bills }));
  }

  /** Files that are still kept. */
  get files(): number {
    return this.#files.size;
  }

  /** Input files that are still kept. */
  get inputs(): number {
    return [...this.#names.keys()].filter((id) => this.#files.has(id)).length;
  }

  async handle(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.replace(/^.*?\/v1/, "");
    this.asked.push(`${request.method} ${path.replace(/_\d+/g, "")}`);
    if (this.#script.absent) return failure(404, "no such route");
    const [, family, id = "", act = ""] = path.split("/");
    if (family === "files") return this.#file(request, id, act);
    for (const batch of this.#batches) this.#proceed(batch);
    if (request.method === "POST" && id === "") return this.#create(await request.json());
    if (id === "") return this.#list(Number(searchParams.get("limit") ?? 20), searchParams.get("after"));
    const batch = this.#batches.find((each) => each.id === id);
    if (batch === undefined) return failure(404, "no such batch");
    if (act === "cancel") return this.#cancel(batch);
    return Response.json(viewOf(batch));
  }

  async #file(request: Request, id: string, act: string): Promise<Response> {
    if (request.method === "POST") {
      const file = (await request.formData()).get("file") as unknown as File;
      const kept = this.#keep(await file.text());
      this.#names.set(kept, file.name);
      return Response.json({ id: kept, object: "file", purpose: "batch" });
    }
    if (id === "") {
      const inputs = [...this.#names].filter(([kept]) => this.#files.has(kept));
      const data = inputs.map(([kept, filename]) => ({ id: kept, object: "file", purpose: "batch", filename }));
      return Response.json({ object: "list", data, has_more: false });
    }
    const text = this.#files.get(id);
    if (text === undefined) return failure(404, "no such file");
    if (request.method === "DELETE") {
      this.#files.delete(id);
      return Response.json({ id, deleted: true });
    }
    if (act !== "content") return Response.json({ id, object: "file" });
    const cuts = this.#script.cutDownloads ?? 0;
    if (cuts === 0) return new Response(text);
    this.#script.cutDownloads = cuts - 1;
    return new Response(cut(text));
  }

  #create(body: { input_file_id: string; metadata?: { aos_lot?: string } }): Response {
    const fault = this.#script.creations?.shift();
    if (fault === "lose_request") throw new Error("connection reset before anything was created");
    if (fault === "rate_limit") return failure(429, "Too many requests");
    const text = this.#files.get(body.input_file_id);
    if (text === undefined) return failure(400, "no such input file");
    const lines = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
    this.#ids += 1;
    const batch: Batch = {
      id: `batch_${this.#ids}`,
      tag: body.metadata?.aos_lot ?? "",
      status: "validating",
      requests: lines.length,
      bills: [],
      inputFileId: body.input_file_id,
      createdAt: this.#now(),
      fault,
      lines,
      done: 0,
      script: { ...this.#script },
      outputFileId: null,
      errorFileId: null,
    };
    this.#batches.push(batch);
    if (fault === "lose_answer") throw new Error("connection reset before the answer");
    return Response.json(viewOf(batch));
  }

  /** The newest first, as OpenAI lists them. */
  #list(limit: number, after: string | null): Response {
    const all = this.#batches.toReversed();
    const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const data = all.slice(from, from + limit).map(viewOf);
    return Response.json({ object: "list", data, has_more: from + limit < all.length });
  }

  #cancel(batch: Batch): Response {
    if (ENDED.has(batch.status)) return failure(409, `the batch is ${batch.status}`);
    this.#end(batch, "cancelled", Math.floor(batch.requests / 2), "batch_cancelled");
    return Response.json({ ...viewOf(batch), status: "cancelling" });
  }

  #proceed(batch: Batch): void {
    if (ENDED.has(batch.status)) return;
    if (batch.fault === "invalid_file" || batch.fault === "token_limit") {
      batch.status = "failed";
      return;
    }
    batch.status = "in_progress";
    const { processMs = 0, hold, expireAfter } = batch.script;
    if (hold || this.#now() - batch.createdAt < processMs) return;
    if (expireAfter === undefined) this.#end(batch, "completed", batch.requests, "");
    else this.#end(batch, "expired", expireAfter, "batch_expired");
  }

  #end(batch: Batch, status: string, done: number, rest: string): void {
    const output: string[] = [];
    const errors: string[] = [];
    batch.lines.forEach((line, index) => {
      if (index >= done) errors.push(errorLine(line, rest));
      else if (batch.script.failEvery !== undefined && (index + 1) % batch.script.failEvery === 0) {
        errors.push(refusalLine(line));
      } else output.push(this.#reply(batch, line));
    });
    batch.status = status;
    // Vendors promise no order.
    batch.outputFileId = output.length === 0 ? null : this.#keep(output.reverse().join("\n"));
    batch.errorFileId = errors.length === 0 ? null : this.#keep(errors.join("\n"));
  }

  #reply(batch: Batch, { custom_id: customId, body }: Line): string {
    const asked = body.messages.at(-1)?.content ?? "";
    const usage = {
      promptTokens: 10 + asked.length,
      cachedTokens: asked.length % 7,
      completionTokens: 5 + (asked.length % 11),
    };
    batch.bills.push({ customId, usage });
    const message = { role: "assistant", content: `echo: ${asked}` };
    const completion = {
      id: `chatcmpl-${customId}`,
      object: "chat.completion",
      model: body.model,
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: {
        prompt_tokens: usage.promptTokens,
        completion_tokens: usage.completionTokens,
        prompt_tokens_details: { cached_tokens: usage.cachedTokens },
      },
    };
    const response = { status_code: 200, request_id: `req-${customId}`, body: completion };
    return JSON.stringify({ id: `batch_req_${customId}`, custom_id: customId, response, error: null });
  }

  #keep(text: string): string {
    this.#ids += 1;
    const id = `file_${this.#ids}`;
    this.#files.set(id, text);
    return id;
  }
}

function viewOf(batch: Batch): object {
  const failed = batch.status === "failed";
  const full = batch.fault === "token_limit";
  const error = full
    ? { code: "token_limit_exceeded", message: "Enqueued token limit reached" }
    : { code: "invalid_json_line", message: "This line is not parseable as valid JSON.", line: 1 };
  return {
    id: batch.id,
    object: "batch",
    endpoint: "/v1/chat/completions",
    input_file_id: batch.inputFileId,
    completion_window: "24h",
    status: batch.status,
    created_at: Math.floor(batch.createdAt / 1_000),
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    metadata: { aos_lot: batch.tag },
    errors: failed ? { object: "list", data: [error] } : null,
  };
}

function errorLine({ custom_id: customId }: Line, code: string): string {
  return JSON.stringify({ id: "e", custom_id: customId, response: null, error: { code, message: "not executed" } });
}

function refusalLine({ custom_id: customId }: Line): string {
  const body = { error: { message: "refused by policy", type: "invalid_request_error", code: "content_policy" } };
  return JSON.stringify({ id: "e", custom_id: customId, response: { status_code: 400, body }, error: null });
}

function failure(status: number, message: string): Response {
  return Response.json({ error: { message, type: "invalid_request_error", code: null } }, { status });
}

/** Half of `text`, then a broken connection. */
function cut(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text.slice(0, text.length / 2));
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("connection reset"));
      else controller.enqueue(bytes);
      sent = true;
    },
  });
}
