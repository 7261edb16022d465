import { DurableObject } from "cloudflare:workers";
import type { PagePatch, PagesMessage, Tier } from "../../kernel/context/page.ts";
import { err, type KernelError, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import { auditPage } from "../../kernel/log/audit.ts";
import type { ChainEnd } from "../../kernel/log/chain.ts";
import { readJournal } from "../../kernel/log/journal.ts";
import { type Archived, type ArchiveOrder, archive } from "../../kernel/log/segment-lines.ts";
import { PlatformMeter } from "../../kernel/platform/platform-meter.ts";
import { savedUsage } from "../../kernel/platform/platform-usage.ts";
import type { ClaimedCall } from "../../kernel/process/batch-calls.ts";
import type { Birth } from "../../kernel/process/birth.ts";
import { firstRow } from "../../kernel/process/birth.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import type { Signal } from "../../kernel/process/message.ts";
import type { Verdict } from "../../kernel/process/parking.ts";
import type { ProcessRow } from "../../kernel/process/process-store.ts";
import { provenanceOf } from "../../kernel/process/provenance.ts";
import type { ProcessPatch } from "../../kernel/process/spec.ts";
import type { Standing } from "../../kernel/scheduler/standing.ts";
import type { LabelInput } from "../../kernel/security/label.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { isLaid, migrate } from "../migrations.ts";
import { sqlOf, systemClock } from "../ports.ts";
import { type AgentRuntime, type Facts, makeRuntime } from "./agent-runtime.ts";
import { arrived } from "./arriving-text.ts";
import { AGENT_MIGRATIONS } from "./migrations.ts";
import { R2ObjectStore } from "./r2-object-store.ts";
import type { Actor, AgentCalls, AgentOrders, AgentRpc, ListOptions } from "./rpc.ts";

const PROCESS_FACTS = "SELECT id, tenant, window_tokens, page_tokens, max_output_tokens, platform FROM process";
type FactsRow = Pick<ProcessRow, "id" | "tenant" | "window_tokens" | "page_tokens" | "max_output_tokens" | "platform">;

const GONE = err("not_found", "There is no such agent.");

/**
 * One agent: the stateful shell around `kernel/process`. It owns the tables, the alarm and the sockets; every decision is
 * the kernel's. Only `alarm()` runs the loop: methods change tables and set the alarm. The schema is laid at spawn, and an
 * object without one touches nothing.
 */
export class AgentProcess extends DurableObject<ObjectEnv> implements AgentRpc, AgentOrders, AgentCalls {
  readonly #meter = new PlatformMeter(systemClock);
  readonly #sql = sqlOf(this.ctx.storage, this.#meter);
  /** Made when first needed; null again after erasing. */
  #runtime: AgentRuntime | null = null;
  /** What is under way and will touch the tables again: erasing waits for it. */
  readonly #busy = new Set<Promise<unknown>>();

  // --- the core's side

  /** Begins the process; again with the same birth answers its block. */
  async create(birth: Birth): Promise<Result<ControlBlock>> {
    return this.#meter.event("requests", () => this.#create(birth));
  }

  #create(birth: Birth): Result<ControlBlock> {
    const laid = migrate(this.#sql, AGENT_MIGRATIONS, systemClock.now());
    if (!laid.ok) return laid;
    const known = this.#open();
    if (known.ok) return ok(known.value.agent.block());
    if (known.error.code !== "not_found" || this.#sql.first(PROCESS_FACTS) !== undefined) return known;
    this.#runtime = this.#runtimeOf(firstRow(birth, ""));
    return ok(this.#runtime.agent.create(birth));
  }

  /** There is a slot, or room in a budget: ask the core again. */
  async run(): Promise<Result<null>> {
    return this.#with(({ agent }) => {
      agent.run();
      return ok(null);
    });
  }

  async answer(callId: string, answer: string, actor: Actor): Promise<Result<null>> {
    return this.#with(({ agent }) => agent.answer(callId, answer, actor));
  }

  async decide(verdict: Verdict, actor: Actor): Promise<Result<null>> {
    return this.#with(({ agent }) => agent.decide(verdict, actor));
  }

  async patch(patch: ProcessPatch, actor: Actor, standing?: Standing): Promise<Result<ControlBlock>> {
    return this.#with(({ agent }) => ok(agent.patch(patch, actor, standing)));
  }

  async resendCall(callId: string, actor: Actor): Promise<Result<null>> {
    return this.#with(({ calls }) => calls.resend(callId, actor));
  }

  async revive(): Promise<Result<{ dueInMs: number | null }>> {
    return this.#with(async ({ parts, loop }) => {
      const stands = await this.ctx.storage.getAlarm();
      const due = loop.nextAlarm();
      if (due !== null && stands === null) parts.alarm.set(due);
      return ok({ dueInMs: due === null ? null : Math.max(0, due - parts.clock.now()) });
    });
  }

  async close(actor: Actor): Promise<Result<{ head: string; entries: number }>> {
    const opened = this.#openAny();
    if (!opened.ok) return opened;
    const { agent, parts, loop } = opened.value;
    parts.tx.run(() => {
      if (parts.process.get().state !== "terminated") agent.signal("KILL", actor);
      if (parts.process.get().erased_at === null) parts.process.change({ erased_at: parts.clock.now() });
    });
    loop.abort();
    const ended = await within(LIMITS.quietMs, "the end of what is under way", Promise.allSettled([...this.#busy]));
    if (ended === null) return err("unavailable", "something is still under way");
    if (!(await loop.tellCore())) return err("unavailable", "the core did not take the last report");
    const { seq, hash } = parts.log.head();
    return ok({ head: hash, entries: seq });
  }

  async archive(order: ArchiveOrder): Promise<Result<Archived>> {
    const opened = this.#openAny();
    if (!opened.ok) return opened;
    const { log, hash } = opened.value.parts;
    return ok(await this.#track(archive(log, { objects: new R2ObjectStore(this.env.PAGES), hash }, order)));
  }

  async dropLog(seq: number): Promise<Result<null>> {
    return this.#with(({ parts: { tx, process, log } }) => {
      if (seq > process.get().exported_seq) return err("conflict", "the core has not seen these entries");
      tx.run(() => log.drop(seq));
      return ok(null);
    });
  }

  async wipe(): Promise<Result<null>> {
    const opened = this.#openAny();
    if (!opened.ok) return opened;
    const { parts, watchers } = opened.value;
    if (parts.process.get().erased_at === null) return err("conflict", "the process was not closed");
    for (let round = 0; round < LIMITS.eraseRounds; round++) {
      if (!(await parts.context.erase()).done) continue;
      watchers.close();
      this.#runtime = null;
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      return ok(null);
    }
    return err("unavailable", "there is more to erase");
  }

  // --- the side of the calls queue

  async claimCall(message: CallMessage, delivery: number): Promise<Result<ClaimedCall>> {
    return this.#with(({ calls }) => calls.claim(message, delivery));
  }

  async renewCall(callId: string, attempt: number): Promise<Result<null>> {
    return this.#with(({ calls }) => calls.renew(callId, attempt));
  }

  async deliverCall(callId: string, attempt: number, outcome: ChatOutcome, joinedTo?: string): Promise<Result<null>> {
    return this.#with(({ calls }) => calls.deliver(callId, attempt, outcome, joinedTo));
  }

  async declineCall(callId: string, attempt: number): Promise<Result<null>> {
    return this.#with(({ calls }) => calls.decline(callId, attempt));
  }

  async queueLost(beganAt: number): Promise<Result<null>> {
    return this.#with(({ calls }) => calls.queueLost(beganAt));
  }

  // --- the outside's side

  async block(): Promise<Result<ControlBlock>> {
    return this.#with(({ agent }) => ok(agent.block()));
  }

  async send(
    input: { content: string; actor: Actor; idempotencyKey?: string } & LabelInput,
  ): Promise<Result<{ messageId: string }>> {
    return this.#with(({ agent }) => agent.send(input));
  }

  async messages(options: ListOptions) {
    return this.#with(({ parts }) => ok(parts.mailbox.list(options.limit, options.cursor)));
  }

  async message(messageId: string) {
    return this.#with(({ agent }) => agent.message(messageId));
  }

  async cancelMessage(messageId: string, actor: Actor) {
    return this.#with(({ agent }) => agent.cancel(messageId, actor));
  }

  async signal(signal: Signal, actor: Actor) {
    return this.#with(({ agent }) => agent.signal(signal, actor));
  }

  async addPages(body: PagesMessage, actor: Actor, options: { idempotencyKey?: string | undefined } = {}) {
    const content = typeof body.content === "string" ? ok(body.content) : await arrived(body.content);
    if (!content.ok) return content;
    return this.#with(async (runtime) => {
      const added = runtime.agent.addPages({ ...body, content: content.value }, actor, options.idempotencyKey);
      if (added.ok) await this.#makeRoom(runtime);
      return added;
    });
  }

  async pages(options: ListOptions & { tier?: Tier | undefined }) {
    return this.#with(({ parts }) => ok(parts.context.list(options)));
  }

  async page(pageId: string) {
    return this.#with(({ parts }) => parts.context.peek(pageId));
  }

  async touchPage(pageId: string, actor: Actor) {
    return this.#with(({ byHand }) => byHand.touchPage(pageId, actor));
  }

  async searchPages(query: string, limit: number) {
    return this.#with(async ({ parts }) => ok({ items: await parts.context.search(query, limit) }));
  }

  async patchPage(pageId: string, patch: PagePatch, actor: Actor) {
    return this.#with(({ byHand }) => byHand.patchPage(pageId, patch, actor));
  }

  async forgetPage(pageId: string, actor: Actor) {
    return this.#with(({ byHand }) => byHand.forgetPage(pageId, actor));
  }

  async files(options: ListOptions & { prefix?: string | undefined }) {
    return this.#with(({ parts }) => parts.files.list(options.prefix ?? "/workspace/", options));
  }

  async readFile(path: string, version?: number) {
    return this.#with(({ parts }) =>
      version === undefined ? parts.files.get(path) : parts.files.getVersion(path, version),
    );
  }

  async fileVersions(path: string) {
    return this.#with(({ parts }) => parts.files.versions(path));
  }

  async rollbackFile(path: string, version: number, actor: Actor) {
    return this.#with(({ byHand }) => byHand.rollbackFile(path, version, actor));
  }

  async writeFile(
    path: string,
    bytes: Uint8Array,
    options: { ifVersion?: number | undefined } & LabelInput,
    actor: Actor,
  ) {
    return this.#with(({ byHand }) => byHand.writeFile(path, bytes, options, actor));
  }

  async deleteFile(path: string, actor: Actor) {
    return this.#with(({ byHand }) => byHand.deleteFile(path, actor));
  }

  async provenance() {
    return this.#with(({ parts }) => ok(provenanceOf(parts)));
  }

  async steps(options: ListOptions) {
    return this.#with(({ parts }) => readJournal(parts.log, options));
  }

  async log({ after, limit }: { after: number; limit: number }) {
    return this.#with(({ parts }) => ok({ entries: parts.log.after(after, limit), head: parts.log.head().seq }));
  }

  async audit(options: ListOptions & { action?: string | undefined; from?: string | undefined }) {
    return this.#with(({ parts }) => ok(auditPage(parts.log, options)));
  }

  async verify(known: readonly ChainEnd[] = []) {
    return this.#with(({ parts }) => ok(parts.log.verify(known)));
  }

  // --- the platform's side

  /** The event socket: see watch.ts. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") !== "websocket") return new Response("upgrade to a WebSocket", { status: 426 });
    const after = Number(new URL(request.url).searchParams.get("after") ?? 0);
    const opened = await this.#with(({ watchers }) => ok(watchers.accept(Number.isSafeInteger(after) ? after : 0)));
    return opened.ok
      ? opened.value
      : new Response(opened.error.message, { status: opened.error.code === "not_found" ? 404 : 503 });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#with(({ watchers }) => {
      watchers.message(socket, message);
      return ok(null);
    }, "socketMessages");
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    socket.close();
  }

  /** Loop and deadman in one: the alarm stands again before the work, and nothing is thrown at the platform. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#meter.event("requests", () => this.#alarm(info?.isRetry === true));
  }

  async #alarm(retried: boolean): Promise<void> {
    try {
      const opened = this.#open();
      if (!opened.ok) return this.#later(opened.error);
      const { parts, loop } = opened.value;
      parts.alarm.set(parts.clock.now());
      await this.#track(loop.slice(retried));
    } catch (cause) {
      console.error("a slice broke", cause);
      void this.ctx.storage.setAlarm(systemClock.now() + LIMITS.brokenSliceMs);
    }
  }

  /** Who cannot be opened by this version of the code is there for the next one; who is gone has no alarm. */
  #later(error: KernelError): void {
    if (error.code === "schema_failed") void this.ctx.storage.setAlarm(systemClock.now() + LIMITS.schemaRetryMs);
  }

  /** Runs `work` on the process that lives here; `not_found` when none does. */
  async #with<T>(
    work: (runtime: AgentRuntime) => Result<T> | Promise<Result<T>>,
    kind: "requests" | "socketMessages" = "requests",
  ): Promise<Result<T>> {
    return this.#meter.event(kind, () => {
      const opened = this.#open();
      if (!opened.ok) return opened;
      const result = work(opened.value);
      return result instanceof Promise ? this.#track(result) : result;
    });
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    try {
      return await work;
    } finally {
      this.#busy.delete(work);
    }
  }

  #open(): Result<AgentRuntime> {
    const opened = this.#openAny();
    return opened.ok && opened.value.parts.process.get().erased_at !== null ? GONE : opened;
  }

  /** Also one that is being erased. */
  #openAny(): Result<AgentRuntime> {
    if (this.#runtime === null) {
      if (!isLaid(this.#sql)) return GONE;
      const migrated = migrate(this.#sql, AGENT_MIGRATIONS, systemClock.now());
      if (!migrated.ok) return migrated;
      this.#runtime = this.#make();
    }
    return this.#runtime === null ? GONE : ok(this.#runtime);
  }

  #make(): AgentRuntime | null {
    const row = this.#sql.first<FactsRow>(PROCESS_FACTS);
    if (row === undefined) return null;
    this.#meter.resume(savedUsage(row.platform));
    return this.#runtimeOf(row);
  }

  #runtimeOf(row: FactsRow): AgentRuntime {
    return makeRuntime({ ctx: this.ctx, env: this.env, sql: this.#sql, meter: this.#meter }, factsOf(row));
  }

  /** Direct reclaim: a writer that filled the warm tier waits until there is room. */
  async #makeRoom({ parts }: AgentRuntime): Promise<void> {
    for (let round = 0; round < LIMITS.reclaimRounds; round++) {
      if (parts.context.warmBytes() <= LIMITS.warmHardBytes) return;
      await parts.context.reclaim();
    }
  }
}

function factsOf(row: FactsRow): Facts {
  return {
    id: row.id,
    tenant: row.tenant,
    windowTokens: row.window_tokens,
    pageTokens: row.page_tokens,
    maxOutputTokens: row.max_output_tokens,
  };
}
