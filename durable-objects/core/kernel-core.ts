import { DurableObject } from "cloudflare:workers";
import { type ErrorCode, err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { auditPage } from "../../kernel/log/audit.ts";
import type { ChainEnd } from "../../kernel/log/chain.ts";
import { PlatformMeter } from "../../kernel/platform/platform-meter.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { ProcessPatch, ProcessSpec, Quotas } from "../../kernel/process/spec.ts";
import type { State } from "../../kernel/process/state.ts";
import type { ApprovalRule, Asked, RuleSpec, RuleWord } from "../../kernel/scheduler/approval-rules.ts";
import { type CostGroup, type CostPeriod, costsOf } from "../../kernel/scheduler/costs.ts";
import type { AgentReport, CacheHit, GrantReply, GrantRequest, Settlement } from "../../kernel/scheduler/grant.ts";
import type { LedgerEntry } from "../../kernel/scheduler/ledger.ts";
import { blockOf } from "../../kernel/scheduler/process-table.ts";
import type { PersonsWord } from "../../kernel/scheduler/questions.ts";
import type { Actor, Listing, ListOptions } from "../agent/rpc.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { migrate } from "../migrations.ts";
import { sqlOf, systemClock } from "../ports.ts";
import { amend } from "./amend.ts";
import { type CoreRuntime, makeCoreRuntime } from "./core-runtime.ts";
import { enrol, type SpawnOptions } from "./enrol.ts";
import { forgetProcess } from "./forget-process.ts";
import { CORE_MIGRATIONS } from "./migrations.ts";
import type { ApprovalView, CoreGrants, CoreRpc, CoreVendors, DeadLetter } from "./rpc.ts";

const GONE = err("not_found", "There is no such agent.");

/**
 * The core of one tenant: the stateful shell around `kernel/scheduler`. It owns the process table, the run queue and the
 * money. What it decides about agents is committed first and told them afterwards; whatever was not heard is told again by
 * the alarm, and by cron when alarms failed.
 */
export class KernelCore extends DurableObject<ObjectEnv> implements CoreRpc, CoreGrants, CoreVendors {
  readonly #meter = new PlatformMeter(systemClock);
  readonly #sql = sqlOf(this.ctx.storage, this.#meter);
  #laid = migrate(this.#sql, CORE_MIGRATIONS, systemClock.now());
  #runtime: CoreRuntime | null = null;
  /** The alarm as this instance last set it. */
  #alarmAt: number | null = null;

  // --- the agents' side

  async settleAndGrant(report: AgentReport, next: GrantRequest | null): Promise<GrantReply> {
    // To the agent this is a core that does not answer: it keeps its report, and asks again.
    if (!this.#laid.ok) throw new Error(this.#laid.error.message);
    const { tx, scheduler, vendors } = this.#core();
    await vendors.prepare(report, next);
    const step = () => {
      const reply = scheduler.settleAndGrant(report, next);
      const dispatched = reply.kind === "granted" ? [] : scheduler.dispatch();
      const released = report.settlements.length > 0 ? scheduler.releaseQuotaWaiters() : [];
      const others = [...dispatched, ...released, ...vendors.released()].filter((id) => id !== report.agentId);
      // Whoever is chosen while it asks needs not be told: asking again is the same question.
      const chosen = next !== null && dispatched.includes(report.agentId);
      const last = chosen ? scheduler.settleAndGrant(report, next) : reply;
      return { reply: { ...last, standing: scheduler.standing(report.agentId) }, agents: others };
    };
    const { value: tell, rows } = this.#meter.during(() => tx.run(step));
    this.#tellToRun(tell.agents);
    this.#wakeBy(Math.min(systemClock.now() + LIMITS.projectionMs, vendors.dueAt() ?? Number.POSITIVE_INFINITY));
    return { ...tell.reply, rows };
  }

  async ruleFor(agentId: string, asked: Asked): Promise<RuleWord | null> {
    return this.#laid.ok ? this.#core().rules.judge(agentId, asked) : null;
  }

  // --- the gates' side

  async vendorMoved(provider: string, cause: ErrorCode | null, retryMs: number): Promise<void> {
    if (!this.#laid.ok) return;
    const { tx, scheduler, vendors, agenda } = this.#core();
    await vendors.moved(provider, cause, retryMs);
    this.#tellToRun(tx.run(() => [...scheduler.dispatch(), ...vendors.released()]));
    const due = agenda.next();
    if (due !== null) this.#wakeBy(due);
  }

  // --- the outside's side

  async spawn(spec: ProcessSpec, options: SpawnOptions): Promise<Result<ControlBlock>> {
    return this.#with(async (core) => {
      const accepted = core.tx.run(() => enrol(core, this.#tenant, spec, options));
      if (!accepted.ok) return accepted;
      this.#wakeBy(systemClock.now() + LIMITS.projectionMs);
      const { birth, block } = accepted.value;
      const born = birth === null ? null : await core.herald.bear(birth);
      if (born === null) return ok(block);
      const { idempotencyKey: key } = options;
      if (key !== undefined) core.idempotency.remember(key, JSON.stringify(spec), born);
      return ok(born);
    });
  }

  async list(
    options: ListOptions & { state?: State | undefined; name?: string | undefined; parentId?: string | undefined },
  ): Promise<Result<Listing<ControlBlock>>> {
    return this.#with((core) => {
      const entries = core.scheduler.processes.list(options, options.cursor ?? "", options.limit + 1);
      const items = entries.slice(0, options.limit).map(blockOf);
      return ok({ items, nextCursor: entries.length > options.limit ? (items.at(-1)?.id ?? null) : null });
    });
  }

  async patch(agentId: string, patch: ProcessPatch, actor: Actor): Promise<Result<ControlBlock>> {
    return this.#with(async (core) => {
      if (core.scheduler.processes.get(agentId) === null) return GONE;
      const amended = core.tx.run(() => amend(core, agentId, patch, actor));
      if (!amended.ok) return amended;
      const { released, standing, patch: whole } = amended.value;
      const patched = await within(LIMITS.rpcMs, "patch", this.#agent(agentId).patch(whole, actor, standing));
      this.#tellToRun(released);
      return patched ?? err("unavailable", "The agent did not answer in time; look at it before you repeat this.");
    });
  }

  async erase(agentId: string, actor: Actor): Promise<Result<null>> {
    return this.#with(async (core) => {
      if (core.scheduler.processes.get(agentId) === null) return GONE;
      core.tx.run(() => forgetProcess(core, agentId, actor));
      this.#wakeBy(systemClock.now());
      const heard = await core.herald.carryOut(agentId, "ERASE");
      return heard
        ? ok(null)
        : err("unavailable", "The agent did not hear it yet; it is told again until it is erased.");
    });
  }

  async quotas() {
    return this.#with(({ tenantBudgets }) => ok(tenantBudgets.meters()));
  }

  async setQuotas(quotas: Quotas, actor: Actor) {
    return this.#with(({ tx, scheduler, tenantBudgets, log }) => {
      const { seq, released } = tx.run(() => {
        const before = tenantBudgets.limits();
        tenantBudgets.set(quotas);
        const { seq } = log.append("quota.set", actor, { quotas, before });
        return { seq, released: scheduler.releaseQuotaWaiters() };
      });
      this.#tellToRun(released);
      return ok({ ...tenantBudgets.meters(), seq });
    });
  }

  async keyQuotas(keyId: string) {
    return this.#with(({ keyBudgets }) => ok(keyBudgets.meters(`key:${keyId}`)));
  }

  async setKeyQuotas(keyId: string, quotas: Quotas, actor: Actor) {
    return this.#with(({ tx, scheduler, keyBudgets, log }) => {
      const key = `key:${keyId}`;
      const released = tx.run(() => {
        keyBudgets.set(key, quotas);
        log.append("quota.set", actor, { keyId, quotas });
        return scheduler.releaseQuotaWaiters();
      });
      this.#tellToRun(released);
      return ok(keyBudgets.meters(key));
    });
  }

  async openCall(owner: Actor, request: GrantRequest) {
    return this.#with(({ directCalls }) => {
      this.#wakeBy(systemClock.now() + LIMITS.projectionMs);
      return directCalls.openOne(owner, request);
    });
  }

  async settleCall(settlement: Settlement) {
    return this.#with(({ directCalls }) => {
      this.#tellToRun(directCalls.settle(settlement));
      this.#wakeBy(systemClock.now() + LIMITS.projectionMs);
      return ok(null);
    });
  }

  async cacheHit(owner: Actor, hit: CacheHit) {
    return this.#with(({ directCalls }) => directCalls.hit(owner, hit));
  }

  async purgeCache(actor: Actor): Promise<Result<null>> {
    return this.#with(({ tx, directCalls, log }) => {
      tx.run(() => log.append("cache.purge", actor, { epoch: directCalls.purge() }));
      return ok(null);
    });
  }

  async openCalls(owner: Actor, requests: readonly GrantRequest[], payer: Actor) {
    return this.#with(({ directCalls }) => {
      this.#wakeBy(systemClock.now() + LIMITS.projectionMs);
      return ok(directCalls.openAll(owner, requests, payer));
    });
  }

  async settleCalls(settlements: readonly Settlement[]) {
    return this.#with(({ directCalls }) => {
      this.#tellToRun(directCalls.settleAll(settlements));
      this.#wakeBy(systemClock.now() + LIMITS.projectionMs);
      return ok(null);
    });
  }

  async admit(keyId: string, requestsPerMinute: number | null) {
    return this.#with(({ tenantBudgets }) => ok(tenantBudgets.admit(keyId, requestsPerMinute)));
  }

  async record(action: string, actor: Actor, facts: Record<string, string>): Promise<Result<null>> {
    return this.#with(({ tx, log }) => {
      tx.run(() => log.append(action, actor, facts));
      return ok(null);
    });
  }

  async deny(actor: Actor, denial: { route: string; reason: string }): Promise<Result<null>> {
    return this.#with(({ tx, denials }) => {
      tx.run(() => denials.enter(actor, denial));
      return ok(null);
    });
  }

  async costs({ groupBy, ...period }: CostPeriod & { groupBy: CostGroup }) {
    return this.#with(() => ok(costsOf(this.#sql, groupBy, period)));
  }

  async ledger(options: ListOptions & { agentId?: string | undefined }): Promise<Result<Listing<LedgerEntry>>> {
    return this.#with(({ scheduler }) => ok(scheduler.ledger.list(options)));
  }

  async approvals(
    options: ListOptions & { state?: "open" | "answered" | undefined },
  ): Promise<Result<Listing<ApprovalView>>> {
    return this.#with(({ approvals }) => ok(approvals.list(options)));
  }

  async answer(approvalId: string, word: PersonsWord, actor: Actor): Promise<Result<ApprovalView>> {
    return this.#with(({ approvals }) => approvals.answer(approvalId, word, actor));
  }

  async approvalRules(options: ListOptions): Promise<Result<Listing<ApprovalRule>>> {
    return this.#with(({ rules }) => ok(rules.list(options)));
  }

  async addApprovalRule(rule: RuleSpec, { actor, idempotencyKey }: SpawnOptions): Promise<Result<ApprovalRule>> {
    return this.#with(({ tx, rules, idempotency }) =>
      tx.run(() => idempotency.once(idempotencyKey, JSON.stringify(rule), () => rules.add(rule, actor))),
    );
  }

  async deleteApprovalRule(ruleId: string, actor: Actor): Promise<Result<null>> {
    return this.#with(({ rules }) => rules.delete(ruleId, actor));
  }

  async deadLetter(letter: Omit<DeadLetter, "at">): Promise<Result<null>> {
    return this.#with(({ tx, scheduler, letters, log }) => {
      if (scheduler.processes.get(letter.agentId) === null) return GONE;
      tx.run(() => {
        letters.put(letter);
        log.append("letter.dead", "kernel", { agentId: letter.agentId, attempts: letter.attempts }, letter.callId);
      });
      return ok(null);
    });
  }

  async deadLetters(options: ListOptions): Promise<Result<Listing<DeadLetter>>> {
    return this.#with(({ letters }) => ok(letters.list(options)));
  }

  async retryDeadLetter(callId: string, actor: Actor): Promise<Result<DeadLetter>> {
    return this.#with(async ({ tx, letters, log }) => {
      const letter = letters.get(callId);
      if (letter === null) return err("not_found", "There is no such dead letter.");
      const sent = await within(LIMITS.rpcMs, "resend", this.#agent(letter.agentId).resendCall(callId, actor));
      if (sent === null) return err("unavailable", "The agent did not answer in time; try again.");
      if (!sent.ok && sent.error.code !== "conflict" && sent.error.code !== "not_found") return sent;
      tx.run(() => {
        letters.delete(callId);
        log.append("letter.retry", actor, { agentId: letter.agentId, sent: sent.ok }, callId);
      });
      return sent.ok ? ok(letter) : sent;
    });
  }

  async audit(options: ListOptions & { action?: string | undefined; from?: string | undefined }) {
    return this.#with(({ log }) => ok(auditPage(log, options)));
  }

  async verify(known: readonly ChainEnd[] = []) {
    return this.#with(({ log }) => ok(log.verify(known)));
  }

  async log({ after, limit }: { after: number; limit: number }) {
    return this.#with(({ log }) => ok({ entries: log.after(after, limit), head: log.head().seq }));
  }

  async witness(object: string) {
    return this.#with(({ checkpointer }) => checkpointer.witness(object));
  }

  async checkpoint(actor: Actor): Promise<Result<null>> {
    return this.#with(async ({ tx, log, checkpointer }) => {
      tx.run(() => log.append("audit.checkpoint", actor, {}));
      await checkpointer.run();
      return ok(null);
    });
  }

  async retire(before: number) {
    return this.#with(({ checkpointer }) => checkpointer.retire(before));
  }

  /** Cron's and the alarm's work: whatever is due. */
  async sweep(): Promise<Result<null>> {
    return this.#with(async ({ tx, scheduler, vendors, herald, agenda, checkpointer }) => {
      await vendors.renew();
      const agents = tx.run(() => {
        scheduler.settleExpired();
        const chosen = [...scheduler.dispatch(), ...vendors.released()];
        return [...chosen, ...scheduler.releaseQuotaWaiters(), ...scheduler.slots.unclaimed()];
      });
      this.#tellToRun(agents);
      await herald.bearAll();
      await herald.deliver();
      await herald.reviveAll();
      await checkpointer.runIfDue();
      const projected = await this.#project();
      const due = agenda.next();
      if (due !== null) this.#wakeBy(due);
      return projected ? ok(null) : err("unavailable", "D1 did not take the projection.");
    });
  }

  async queueLost(beganAt: number): Promise<Result<null>> {
    return this.#with(async ({ herald }) => {
      await herald.queueLost(beganAt);
      return ok(null);
    });
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    this.#alarmAt = null;
    if (!this.#laid.ok) this.#laid = migrate(this.#sql, CORE_MIGRATIONS, systemClock.now());
    if (!this.#laid.ok) return this.#wakeBy(systemClock.now() + LIMITS.schemaRetryMs);
    try {
      // The platform gives an alarm up that died too often: cron hears of this core before it can die again.
      if (info?.isRetry === true) await within(LIMITS.rpcMs, "due", this.#core().projection.callCron());
      await this.sweep();
    } catch (cause) {
      console.error("a sweep broke", cause);
      this.#wakeBy(systemClock.now() + LIMITS.brokenSliceMs);
    }
  }

  // --- inside

  get #tenant(): string {
    return this.ctx.id.name ?? "default";
  }

  /** Runs `work` when the schema stands, else answers `schema_failed`: an object without its tables does nothing. */
  async #with<T>(work: (core: CoreRuntime) => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    return this.#laid.ok ? await work(this.#core()) : this.#laid;
  }

  #core(): CoreRuntime {
    this.#runtime ??= makeCoreRuntime(this.env, this.#sql, this.#tenant);
    return this.#runtime;
  }

  #agent(agentId: string) {
    return this.#core().herald.agent(agentId);
  }

  /** Pushes: an agent that does not hear it asks by itself later, or is told again by the sweep. */
  #tellToRun(agentIds: readonly string[]): void {
    for (const told of this.#core().herald.tellToRun([...new Set(agentIds)])) this.ctx.waitUntil(told);
  }

  async #project(): Promise<boolean> {
    const { projection, agenda } = this.#core();
    const sending = projection.send(() => agenda.nextForCron()).then(() => true);
    return (await within(LIMITS.rpcMs, "projection", sending)) === true;
  }

  /** A time in the past is now: the platform refuses the year 1970, and a refused alarm would be taken for one that stands. */
  #wakeBy(due: number): void {
    const at = Math.max(due, systemClock.now());
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}
