import type { PagesInput } from "../context/page.ts";
import type { Door } from "../door.ts";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Standing } from "../scheduler/standing.ts";
import { LABELS, type LabelInput, labelled } from "../security/label.ts";
import { visibleText } from "../security/visible-text.ts";
import type { ToolValue } from "../syscall.ts";
import { type Birth, firstRow } from "./birth.ts";
import type { ControlBlock } from "./block.ts";
import { messageViewOf } from "./mailbox.ts";
import type { MessageView, Signal } from "./message.ts";
import { decideCall, type Verdict } from "./parking.ts";
import type { AgentParts } from "./parts.ts";
import type { ProcessRow } from "./process-store.ts";
import { countStripped } from "./provenance.ts";
import { blockOf } from "./report.ts";
import { signal } from "./signals.ts";
import type { Denials, Grants, ProcessPatch, QuotaName, Quotas } from "./spec.ts";
import type { State } from "./state.ts";
import { endMessage, endTurn, GOAL_SENDER } from "./turn.ts";

export interface AddedPage {
  id: string;
  tokens: number;
}

/** Ordinals, inclusive: what is remembered of an ingest, because the list of its pages may be long. */
type PageRange = { from: number; to: number };

/**
 * What may be done to a process from outside. Each operation is one transaction: acknowledged is durable. Operations do
 * no work of the process themselves: they change its tables, and the loop, woken by the alarm, goes on from there.
 */
export class Agent {
  readonly #parts: AgentParts;
  readonly #door: Door;
  readonly #abort: () => void;

  constructor(parts: AgentParts, door: Door, abort: () => void) {
    this.#parts = parts;
    this.#door = door;
    this.#abort = abort;
  }

  /** Lays the process: its row, its pinned pages, its goal as the first message. */
  create(birth: Birth): ControlBlock {
    const { tx, process, log, mailbox, context, version } = this.#parts;
    tx.run(() => {
      process.create(firstRow(birth, version));
      const { spec } = birth;
      log.append("process.spawn", birth.actor, {
        name: spec.name,
        model: birth.model,
        level: process.get().permission_level,
      });
      const identity = `You are ${spec.name}. Your role: ${spec.role}.`;
      const instructions = spec.instructions === undefined ? identity : `${identity}\n${spec.instructions}`;
      const given = { pinned: true, resident: true, label: LABELS.orders };
      context.allocate({ content: instructions, kind: "instructions", ...given });
      context.allocate({ content: spec.goal, kind: "goal", ...given });
      mailbox.put(spec.goal, GOAL_SENDER, LABELS.orders);
      process.transition({ to: "ready" });
      this.#wake();
    });
    return blockOf(this.#parts);
  }

  block(): ControlBlock {
    return blockOf(this.#parts);
  }

  /** Accepts a message; the same idempotency key and content answer the first message's id. */
  send(
    input: { content: string; actor: string; idempotencyKey?: string | undefined } & LabelInput,
  ): Result<{ messageId: string }> {
    return this.#parts.tx.run(() => {
      const { content, actor, idempotencyKey } = input;
      if (this.#parts.process.get().state === "terminated") {
        return err("process_terminated", "the process has terminated and reads no more mail; spawn another");
      }
      const before =
        idempotencyKey === undefined
          ? null
          : this.#parts.idempotency.recall<{ messageId: string }>(idempotencyKey, content);
      if (before !== null) return before;
      const label = labelled(input, LABELS.message);
      const { text, stripped } = label.trust === "untrusted" ? visibleText(content) : { text: content, stripped: 0 };
      const put = this.#parts.mailbox.put(text, actor, label);
      countStripped(this.#parts, stripped);
      if (!put.ok) return put;
      if (idempotencyKey !== undefined) this.#parts.idempotency.remember(idempotencyKey, content, put.value);
      this.#parts.log.append("message.accepted", actor, {
        messageId: put.value.messageId,
        sha256: this.#parts.hash.sha256(content),
      });
      const { state, wait_reason: reason } = this.#parts.process.get();
      if (state === "waiting" && reason === "message") this.#parts.process.transition({ to: "ready" });
      this.#wake();
      return put;
    });
  }

  message(messageId: string): Result<MessageView> {
    const row = this.#parts.mailbox.get(messageId);
    return row === null ? err("not_found", "there is no such message") : ok(messageViewOf(row));
  }

  /** Cancels a queued message, or ends the turn that works on it. */
  cancel(messageId: string, actor: string): Result<MessageView> {
    const row = this.#parts.mailbox.get(messageId);
    if (row === null) return err("not_found", "there is no such message");
    if (row.state !== "queued" && row.state !== "running")
      return err("conflict", `the message has ended: it is ${row.state}`);
    this.#parts.tx.run(() => {
      this.#parts.log.append("message.cancel", actor, { messageId });
      if (row.state === "running") endTurn(this.#parts, { state: "cancelled" });
      else endMessage(this.#parts, messageId, { state: "cancelled" });
      this.#wake();
    });
    if (row.state === "running") this.#abort();
    return this.message(messageId);
  }

  signal(name: Signal, actor: string): Result<{ state: State }> {
    const done = this.#parts.tx.run(() => {
      const result = signal(this.#parts, name, actor);
      if (result.ok) this.#wake();
      return result;
    });
    if (!done.ok) return done;
    if (done.value.abort) this.#abort();
    return ok({ state: done.value.state });
  }

  /** New pages of memory; the same idempotency key and body answer the first ones. */
  addPages(body: PagesInput, actor: string, idempotencyKey?: string): Result<{ pages: AddedPage[] }> {
    return this.#parts.tx.run(() => {
      const { process, context, log, hash, idempotency } = this.#parts;
      if (process.get().state === "terminated") {
        return err("process_terminated", "the process has terminated; its memory takes nothing in any more");
      }
      const { kind = "document", content, source = "" } = body;
      const sha256 = hash.sha256(content);
      const identity = `${kind}\n${source}\n${sha256}`;
      const before = idempotencyKey === undefined ? null : idempotency.recall<PageRange>(idempotencyKey, identity);
      if (before !== null) return before.ok ? ok({ pages: this.#pagesOf(before.value) }) : before;
      const label = labelled(body, LABELS.document);
      const allocated = context.allocateWithin(this.#parts.room, { ...body, kind, label });
      if (!allocated.ok) return allocated;
      const entries = allocated.value;
      const range = { from: entries[0]?.ordinal ?? 0, to: entries.at(-1)?.ordinal ?? 0 };
      if (idempotencyKey !== undefined) idempotency.remember(idempotencyKey, identity, range);
      log.append("page.add", actor, { pages: entries.length, kind, source, sha256, label });
      this.#wake();
      return ok({ pages: entries.map(({ id, tokens }) => ({ id, tokens })) });
    });
  }

  /** A person's answer to a question of the process. */
  answer(callId: string, answer: string, actor: string): Result<null> {
    return this.#parts.tx.run(() => {
      const call = this.#parts.pending.get(callId);
      if (call?.state !== "waiting") return err("conflict", "nobody waits for this answer any more");
      const value: ToolValue = { answer };
      this.#door.close(call, { result: ok(value) });
      this.#parts.log.append("question.answered", actor, { sha256: this.#parts.hash.sha256(answer) }, callId);
      this.#resume("approval");
      return ok(null);
    });
  }

  /** A person's word about a call that waits for leave, or whose outcome nobody knew. */
  decide(verdict: Verdict, actor: string): Result<null> {
    return this.#parts.tx.run(() => {
      const decided = decideCall(this.#parts, this.#door, verdict, actor);
      if (decided.ok) this.#resume("approval");
      return decided;
    });
  }

  /** The core has a slot, or room in a budget: ask it again now. */
  run(): void {
    this.#parts.tx.run(() => {
      const { state, wait_reason: reason } = this.#parts.process.get();
      if (state === "waiting" && reason === "quota") return this.#resume("quota");
      this.#parts.process.change({ retry_at: null });
      this.#wake();
    });
  }

  /** `patch` as the core completed it: whole grants and denials. `standing` = how the process stands with its new quotas. */
  patch(patch: ProcessPatch, actor: string, standing?: Standing): ControlBlock {
    this.#parts.tx.run(() => {
      const { process, log } = this.#parts;
      const before = patchedOf(process.get(), patch);
      const quotas = { ...(JSON.parse(process.get().quotas) as object), ...patch.quotas };
      process.change({
        ...(patch.name === undefined ? {} : { name: patch.name }),
        ...(patch.priority === undefined ? {} : { priority: patch.priority }),
        ...(patch.permissionLevel === undefined ? {} : { permission_level: patch.permissionLevel }),
        ...(patch.approvals?.tools === undefined ? {} : { asks: JSON.stringify(patch.approvals.tools) }),
        ...(patch.grants === undefined ? {} : { grants: JSON.stringify(patch.grants) }),
        ...(patch.denials === undefined ? {} : { denials: JSON.stringify(patch.denials) }),
        quotas: JSON.stringify(quotas),
        ...(standing === undefined ? {} : { standing: JSON.stringify(standing) }),
      });
      log.append("process.patch", actor, { ...patch, before });
      this.#wake();
    });
    return blockOf(this.#parts);
  }

  #pagesOf({ from, to }: PageRange): AddedPage[] {
    const pages: AddedPage[] = [];
    for (let cursor = from - 1; cursor < to; ) {
      const { items } = this.#parts.context.list({ limit: LIMITS.pageListMax, cursor: String(cursor) });
      const found = items.filter((page) => page.ordinal <= to);
      pages.push(...found.map(({ id, tokens }) => ({ id, tokens })));
      cursor = items.length === 0 ? to : (items.at(-1)?.ordinal ?? to);
    }
    return pages;
  }

  #resume(reason: "approval" | "quota"): void {
    const row = this.#parts.process.get();
    if (row.state === "waiting" && row.wait_reason === reason)
      this.#parts.process.transition({ to: "ready" }, { retry_at: null });
    this.#wake();
  }

  #wake(): void {
    this.#parts.alarm.set(this.#parts.clock.now());
  }
}

/** What a patch changes, as it was. */
function patchedOf(row: Readonly<ProcessRow>, patch: ProcessPatch): ProcessPatch {
  const quotas = JSON.parse(row.quotas) as Quotas;
  const touched = Object.keys(patch.quotas ?? {}) as QuotaName[];
  return {
    ...(patch.name === undefined ? {} : { name: row.name }),
    ...(patch.priority === undefined ? {} : { priority: row.priority }),
    ...(patch.permissionLevel === undefined ? {} : { permissionLevel: row.permission_level }),
    ...(patch.grants === undefined ? {} : { grants: JSON.parse(row.grants) as Grants }),
    ...(patch.denials === undefined ? {} : { denials: JSON.parse(row.denials) as Denials }),
    ...(patch.quotas === undefined ? {} : { quotas: pick(quotas, touched) }),
  };
}

function pick(quotas: Quotas, names: readonly QuotaName[]): Quotas {
  return Object.fromEntries(names.flatMap((name) => (quotas[name] === undefined ? [] : [[name, quotas[name]]])));
}
