import { LIMITS } from "../../limits.ts";
import { listed } from "../catalogue.ts";
import { type ChatFailure, excerpt } from "../classify.ts";
import type { ChatVendor } from "../vendor.ts";
import {
  type BatchDriver,
  hidden,
  type LotDesk,
  type Progress,
  pauseMs,
  type RequestOutcome,
  unbilled,
} from "./driver.ts";
import type { Answer, BatchAccount, VendorBatch, VendorBatches } from "./vendor-batches.ts";
import { lineOf, outcomeOf, parseLine } from "./vendor-line.ts";

/**
 * A lot by way of the vendor's Batch API: upload, create, poll, collect.
 *
 * A submission must not be doubled. `submitted_at` stands in the lot before the vendor is asked to create the batch and goes
 * only when the answer stands there too, or a refusal that is certain. A life that finds it without an answer waits until
 * what was on its way has arrived, and looks for the lot's tag in the vendor's list before it submits anything.
 *
 * An upload has the lot's name: one whose answer was lost is looked for by it and deleted before the next one. The file goes
 * when the lot has ended, however it did.
 *
 * Polling pauses grow; collecting may be repeated, because outcomes are recorded once.
 */

/** How a vendor's Batch API differs from another's. */
export interface BatchTerms {
  vendor: ChatVendor;
  /** Of the usual price. */
  priceFactor: number;
  maxRequests: number;
  maxBytes: number;
  /** `completion_window`. */
  window: string;
  /** The models that it takes; null = all that the vendor lists. */
  models: RegExp | null;
}

/** What a vendor says of an endpoint that it does not have. */
const NO_SUCH_ENDPOINT: ReadonlySet<number | null> = new Set([404, 405, 501]);
/** Too much of ours waits at the vendor: it takes the lot when some of that is done. */
const FULL = /token_limit_exceeded|enqueued|rate_limit|quota_exceeded/i;

export class VendorDriver implements BatchDriver {
  readonly limits: { requests: number; bytes: number };
  readonly priceFactor: number;
  readonly #terms: BatchTerms;
  readonly #account: BatchAccount;
  readonly #batches: VendorBatches;

  constructor(terms: BatchTerms, account: BatchAccount, batches: VendorBatches) {
    this.limits = { requests: terms.maxRequests, bytes: Math.min(terms.maxBytes, LIMITS.batchLotBytes) };
    this.priceFactor = terms.priceFactor;
    this.#terms = terms;
    this.#account = account;
    this.#batches = batches;
  }

  /** A request to the vendor is never aborted for a cancellation: its answer would be lost, and has to be known first. */
  async advance(desk: LotDesk): Promise<Progress> {
    const { signal } = new AbortController();
    const progress = await this.#step(desk, signal);
    const { input_file_id: input } = desk.lot();
    if (progress.kind !== "wait" && input !== null) await this.#batches.remove(input, signal);
    return progress;
  }

  #step(desk: LotDesk, signal: AbortSignal): Promise<Progress> {
    const { vendor_batch_id: id, submitted_at: at } = desk.lot();
    if (id !== null) return this.#poll(desk, id, signal);
    return at === null ? this.#submit(desk, signal) : this.#adopt(desk, at, signal);
  }

  /** Finds out what became of a submission whose answer was lost. */
  async #adopt(desk: LotDesk, submittedAt: number, signal: AbortSignal): Promise<Progress> {
    const left = submittedAt + LIMITS.batchAdoptMs - desk.now();
    if (left > 0) return { kind: "wait", ms: left };
    const found = await this.#batches.find(desk.tag, signal);
    if (!found.ok) return this.#later(desk, found.failure);
    if (found.value !== null) return this.#submitted(desk, found.value);
    desk.change({ submitted_at: null });
    return { kind: "wait", ms: 0 };
  }

  async #submit(desk: LotDesk, signal: AbortSignal): Promise<Progress> {
    const why = desk.stopping();
    if (why !== null) return { kind: "ended", rest: unbilled(why) };
    const fileId = desk.lot().input_file_id;
    if (fileId === null) return this.#upload(desk, signal);
    desk.change({ state: "submitting", submitted_at: desk.now() });
    const created = await this.#batches.create(fileId, desk.tag, signal);
    if (created.ok) return this.#submitted(desk, created.value);
    if (!isRefusal(created)) return this.#later(desk, created.failure);
    desk.change({ state: "ready", submitted_at: null });
    return this.#refused(desk, created);
  }

  async #upload(desk: LotDesk, signal: AbortSignal): Promise<Progress> {
    const name = `aos-${desk.tag.replaceAll("/", "-")}.jsonl`;
    if (desk.lot().state === "uploading") {
      const unswept = await this.#sweep(name, signal);
      if (unswept !== null) return this.#later(desk, unswept);
    }
    desk.change({ state: "uploading" });
    const file = await this.#batches.upload(name, this.#lines(desk), signal);
    if (!file.ok) return isRefusal(file) ? this.#refused(desk, file) : this.#later(desk, file.failure);
    desk.change({ state: "ready", input_file_id: file.value.id, failures: 0 });
    return { kind: "wait", ms: 0 };
  }

  /** Deletes what earlier uploads may have left. Answers why it could not be looked for, or null. */
  async #sweep(name: string, signal: AbortSignal): Promise<ChatFailure | null> {
    const left = await this.#batches.filesNamed(name, signal);
    // A vendor without such a list keeps the file: that is no reason not to go on.
    if (!left.ok) return isRefusal(left) ? null : left.failure;
    for (const id of left.value) await this.#batches.remove(id, signal);
    return null;
  }

  #lines(desk: LotDesk): string[] {
    const { vendor } = this.#terms;
    const lines: string[] = [];
    for (let after = -1; ; ) {
      const slice = desk.requests("reserved", after, LIMITS.batchMoneyRows);
      for (const { position, request } of slice) {
        lines.push(lineOf(position, request, vendor, listed(vendor, request.model) !== undefined));
      }
      const last = slice.at(-1);
      if (last === undefined) return lines;
      after = last.position;
    }
  }

  #submitted(desk: LotDesk, batch: VendorBatch): Progress {
    desk.change({ state: "submitted", vendor_batch_id: batch.id, submitted_at: null, failures: 0, polls: 0 });
    return { kind: "wait", ms: LIMITS.batchPollMinMs };
  }

  async #poll(desk: LotDesk, id: string, signal: AbortSignal): Promise<Progress> {
    if (desk.lot().cancelled_at === null && desk.stopping() !== null) {
      const cancelled = await this.#batches.cancel(id, signal);
      // A refusal says that it has ended: the poll below sees how.
      if (!cancelled.ok && !isRefusal(cancelled)) return this.#later(desk, cancelled.failure);
      desk.change({ cancelled_at: desk.now(), polls: 0 });
    }
    const seen = await this.#batches.get(id, signal);
    if (!seen.ok) return seen.status === 404 ? this.#gone(desk, id) : this.#later(desk, seen.failure);
    return this.#seen(desk, seen.value, signal);
  }

  async #seen(desk: LotDesk, batch: VendorBatch, signal: AbortSignal): Promise<Progress> {
    switch (batch.status) {
      case "in_progress":
      case "finalizing":
        desk.running();
        return this.#pause(desk);
      case "validating":
      case "cancelling":
        return this.#pause(desk);
      case "failed":
        return this.#failed(desk, batch);
      case "completed":
        return this.#collect(
          desk,
          batch,
          hidden(`${this.#account.name} says that it is done, and has no reply.`),
          signal,
        );
      case "expired":
      case "cancelled":
        return this.#collect(desk, batch, unbilled(batch.status), signal);
    }
  }

  #pause(desk: LotDesk): Progress {
    const { polls } = desk.lot();
    desk.change({ polls: polls + 1, failures: 0 });
    return { kind: "wait", ms: pauseMs(polls / 2, LIMITS.batchPollMinMs, LIMITS.batchPollMaxMs) };
  }

  /** The vendor did not accept the file. Nothing of it was billed. */
  #failed(desk: LotDesk, batch: VendorBatch): Progress {
    const errors = batch.errors?.data ?? [];
    const words = errors.map(({ code, message }) => `${code ?? ""} ${message ?? ""}`.trim()).join("; ");
    if (FULL.test(words) && desk.stopping() === null) {
      desk.change({ state: "ready", vendor_batch_id: null, polls: 0 });
      return { kind: "wait", ms: LIMITS.batchPollMaxMs };
    }
    const message = `${this.#account.name} refused the batch (${excerpt(words, this.#account)}).`;
    const error = { code: "provider_rejected" as const, message };
    return { kind: "ended", rest: { ok: false, error, retryable: false, billed: "none" } };
  }

  /** What the files hold counts, then nothing more will come. */
  async #collect(desk: LotDesk, batch: VendorBatch, rest: ChatFailure, signal: AbortSignal): Promise<Progress> {
    for (const fileId of [batch.output_file_id, batch.error_file_id]) {
      if (fileId === null || fileId === undefined) continue;
      const broken = await this.#read(desk, fileId, signal);
      if (broken !== null) return this.#later(desk, broken);
    }
    return { kind: "ended", rest };
  }

  async #read(desk: LotDesk, fileId: string, signal: AbortSignal): Promise<ChatFailure | null> {
    let outcomes: RequestOutcome[] = [];
    for await (const line of this.#batches.lines(fileId, signal)) {
      if (!line.ok) return line.failure;
      const outcome = this.#outcome(desk, line.value);
      if (outcome !== null) outcomes.push(outcome);
      if (outcomes.length < LIMITS.batchMoneyRows) continue;
      desk.record(outcomes);
      outcomes = [];
    }
    desk.record(outcomes);
    return null;
  }

  #outcome(desk: LotDesk, text: string): RequestOutcome | null {
    const line = parseLine(text);
    if (line === null) return null;
    const [asked] = desk.requests("reserved", line.position - 1, 1);
    if (asked?.position !== line.position) return null;
    const { position, request } = asked;
    return { position, outcome: outcomeOf(line, request, this.#terms.vendor, this.#account) };
  }

  #refused(desk: LotDesk, answer: Refused): Progress {
    const isEarly = desk.lot().vendor_batch_id === null && desk.lot().polls === 0;
    if (isEarly && NO_SUCH_ENDPOINT.has(answer.status)) return { kind: "unsupported" };
    if (answer.failure.retryable) return this.#later(desk, answer.failure);
    return { kind: "ended", rest: { ...answer.failure, billed: "none" } };
  }

  #gone(desk: LotDesk, id: string): Progress {
    desk.change({ failures: 0 });
    return { kind: "ended", rest: hidden(`${this.#account.name} does not know its batch ${id} any more.`) };
  }

  #later(desk: LotDesk, failure: ChatFailure): Progress {
    const { failures } = desk.lot();
    desk.change({ failures: failures + 1 });
    return { kind: "wait", ms: pauseMs(failures, LIMITS.batchPollMinMs, LIMITS.batchPollMaxMs, failure) };
  }
}

type Refused = Extract<Answer<unknown>, { ok: false }>;

/** Whether the vendor surely did not do what it was asked: it said so, or the request never left. */
function isRefusal({ status, failure }: Refused): boolean {
  return status === null ? failure.billed === "none" : status < 500 && status !== 408;
}
