import { LIMITS } from "../limits.ts";
import { maxCostNanoUsd } from "../llm/pricing.ts";
import type { Log } from "../log/log.ts";
import { withReported } from "../platform/platform-days.ts";
import type { Clock, Sql } from "../ports.ts";
import { NOTHING_STORED } from "../process/meters.ts";
import { type Quotas, STORED_NAMES, type Stored } from "../process/spec.ts";
import { Allowances } from "./allowances.ts";
import { type BudgetRow, Budgets, type CallCost, TENANT } from "./budgets.ts";
import { Counters } from "./counters.ts";
import { withCpu } from "./cpu-use.ts";
import {
  type AgentReport,
  type GrantAnswer,
  type GrantRequest,
  LEAST_OUTPUT_TOKENS,
  type Reservation,
  type Settlement,
} from "./grant.ts";
import { type Debtor, Ledger, type LedgerCall, reservation } from "./ledger.ts";
import { endOf, periodOf } from "./period.ts";
import { type ProcessEntry, ProcessTable, storedOf } from "./process-table.ts";
import { Questions } from "./questions.ts";
import { LEAST_OF_A_CALL, QuotaWaiters } from "./quota-waiters.ts";
import { type Errand, inOrder, isUrgent, RunQueue, virtualCost, type Waiting } from "./run-queue.ts";
import { Slots } from "./slots.ts";
import { type Standing, standingOf } from "./standing.ts";

/**
 * The scheduler of one tenant: money and slots for model calls. All methods are synchronous and belong inside one
 * transaction of the core's object; what they decide is told to agents after the commit.
 *
 * A grant reserves the upper bound of one call against the agent, its ancestors and the tenant. Slots expire, money does
 * not: a call that nobody settles counts at its bound when its deadline and a grace have passed.
 */

const ADD_SEGMENT = "INSERT INTO segments (agent_id, row) VALUES (?, ?)";
const ADD_SIGNAL =
  "INSERT INTO signals (agent_id, signal) VALUES (?, ?) ON CONFLICT (agent_id) DO UPDATE SET signal = excluded.signal WHERE signal NOT IN ('ERASE', 'WIPE')";

/** What a process in the table says of itself that waits with its own pause for a vendor to answer again. */
const STALLED = `SELECT id FROM processes WHERE state = 'waiting' AND erased_at IS NULL
  AND json_extract(block, '$.waitReason') = 'llm' AND json_extract(block, '$.lane') = 'interactive'
  AND json_extract(block, '$.model') LIKE ? || '/%' LIMIT ?`;

type Slot = { fence: number; slotMs: number };
/** A call of the batch lane holds money only: whoever consumes the queue bounds how many run. */
const NO_SLOT: Slot = { fence: 0, slotMs: 0 };

export class Scheduler {
  readonly allowances: Allowances;
  readonly budgets: Budgets;
  readonly counters: Counters;
  readonly ledger: Ledger;
  readonly processes: ProcessTable;
  readonly questions: Questions;
  readonly queue: RunQueue;
  readonly slots: Slots;
  readonly quotaWaiters: QuotaWaiters;
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #log: Log;

  /** `gates` are the vendor accounts whose calls have to be allowed. */
  constructor(ports: { sql: Sql; clock: Clock }, log: Log, gates: readonly string[] = []) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#log = log;
    this.budgets = new Budgets(ports);
    this.counters = new Counters(ports.sql);
    this.ledger = new Ledger(ports);
    this.processes = new ProcessTable(ports.sql);
    this.questions = new Questions(ports.sql);
    this.queue = new RunQueue(ports);
    this.slots = new Slots(ports);
    this.allowances = new Allowances(gates, ports.clock, this.slots, this.queue);
    this.quotaWaiters = new QuotaWaiters(ports);
  }

  /** Settles and notes what the agent reports, then grants, queues or denies its next call. Repeating it changes nothing. */
  settleAndGrant(report: AgentReport, next: GrantRequest | null): GrantAnswer {
    for (const settlement of report.settlements) this.settle(settlement);
    this.#burn(report);
    const entry = this.processes.get(report.agentId);
    if (entry === null) return { kind: "gone" };
    this.#note(entry, report);
    return next === null ? this.#rested(report) : this.#grant(entry, next);
  }

  /** How the process stands with its quotas. */
  standing(agentId: string): Standing {
    return standingOf(this, agentId);
  }

  /** The process stores nothing any more. */
  forgetStored(agentId: string): void {
    const entry = this.processes.get(agentId);
    if (entry !== null) this.#weigh(entry, NOTHING_STORED);
  }

  /**
   * Reserves money for a call that no process makes, such as one of a key: `owner` is its subject in the ledger, `payer` the key
   * that pays where that is another. Nobody waits
   * in a queue for it: answers the meter that has no room. Repeating it answers the first reservation.
   */
  openCall(owner: string, request: GrantRequest, payer: string | null = null): Reservation | BudgetRow {
    const known = this.#openedCall(owner, request);
    if (known !== null) return { maxOutputTokens: known.output_bound, reservedNanoUsd: known.reserved_nano_usd };
    return this.#reserve({ owner, payer }, request);
  }

  /** Settles one call, once. */
  settle(settlement: Settlement): void {
    const ended = this.ledger.settle(settlement, this.counters.next("changed"));
    if (ended === null) return;
    const { call, reserved, used } = ended;
    this.#warn(this.budgets.settle(this.subjects(call.agent_id, call.payer), reserved, used));
    const priority = this.processes.get(call.agent_id)?.priority ?? LIMITS.priorityDefault;
    this.processes.serve(call.agent_id, virtualCost(Math.max(0, used.tokens ?? 0), priority));
    if (settlement.state === "unknown") {
      this.#log.append(
        "ledger.unknown",
        "kernel",
        { agentId: call.agent_id, costNanoUsd: call.reserved_nano_usd },
        call.id,
      );
    }
  }

  /** Settles open calls whose deadline and grace have passed, at their upper bound. */
  settleExpired(): number {
    const expired = this.ledger.expired();
    for (const call of expired) this.settle({ callId: call.id, state: "unknown", usage: null, costNanoUsd: 0 });
    return expired.length;
  }

  /**
   * Gives free slots to those who wait, in order. Answers whom to tell: them, and whoever let a slot expire, because a live
   * process renews its slot with every call, and one whose alarm the platform gave up goes on only when it is told.
   */
  dispatch(): string[] {
    const chosen = this.slots.expire();
    for (let free = this.slots.free; free > 0; free--) {
      const urgentToo = this.slots.urgent < LIMITS.slotsPerTenant * LIMITS.urgentShare;
      const next = this.#next(urgentToo) ?? this.#next(true);
      if (next === null) break;
      this.queue.remove(next.agent_id);
      const pass = { gate: next.gate, epoch: this.allowances.take(next) };
      this.slots.take(next.agent_id, this.counters.next("fence"), true, pass);
      chosen.push(next.agent_id);
    }
    return chosen;
  }

  /** Agents that pause because `provider` failed them: it is there again. At most `LIMITS.sweepRows`. */
  stalledAt(provider: string): string[] {
    return this.#sql.all<{ id: string }>(STALLED, provider, LIMITS.sweepRows).map((row) => row.id);
  }

  /** Sets limits of one agent. What it and all below it hold and have used counts against them from the start. */
  setQuotas(agentId: string, quotas: Quotas): void {
    const usedSince = (at: number) => ({
      ...this.ledger.usedBelow(agentId, at),
      ...this.processes.storedBelow(agentId),
      cpuMs: this.processes.cpuBelow(agentId, at),
    });
    this.budgets.set(agentId, quotas, { held: this.ledger.heldBelow(agentId), usedSince });
  }

  /** The agent goes on by itself in `dueInMs`: when nothing is heard of it then, nor a while later, it is asked. */
  awaitSign(agentId: string, dueInMs: number | null): void {
    this.processes.expect(agentId, this.#signAt(dueInMs));
  }

  /** Agents of which there should have been a sign by now. */
  silent(): string[] {
    return this.processes.silent(this.#clock.now());
  }

  /** Agents that waited for a budget and may ask again: whom to tell, until they do. */
  releaseQuotaWaiters(): string[] {
    const waiting = this.quotaWaiters.all();
    return waiting.filter(({ agentId, needs }) => this.#hasRoom(agentId, needs)).map(({ agentId }) => agentId);
  }

  /** When a minute, an hour or a day ends that may give those who wait for a budget room again; null when time gives nobody room. */
  nextPeriod(): number | null {
    const blocking = this.quotaWaiters.all().map(({ agentId, needs }) => this.#blocking(agentId, needs));
    const ends = blocking.map((row) => (row === null ? null : endOf(row.per, this.#clock.now())));
    const known = ends.filter((at) => at !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Who pays for what `owner` does: itself, its ancestors, nearest first, the key behind it, and the tenant. */
  subjects(owner: string, payer: string | null = this.processes.payerOf(owner)): string[] {
    return [owner, ...this.processes.ancestors(owner), ...(payer === null ? [] : [payer]), TENANT];
  }

  #grant(entry: ProcessEntry, request: GrantRequest): GrantAnswer {
    const known = this.#openedCall(entry.id, request);
    const errand = this.allowances.errandOf(request);
    const slot = request.lane !== "interactive" ? NO_SLOT : this.#slotFor(entry, errand);
    if (slot === null) return this.#queued(errand);
    if (known !== null) return this.#granted(request.callId, known.output_bound, known.reserved_nano_usd, slot);
    const bound = this.#reserve({ owner: entry.id, payer: entry.payer }, request);
    if ("subject" in bound) return this.#deny(entry.id, bound, leastOf(request));
    return this.#granted(request.callId, bound.maxOutputTokens, bound.reservedNanoUsd, slot);
  }

  /**
   * What the ledger has of the call. A reservation for another model, or at another price, is given back: who asks for the same
   * call again has not made it, and its bill must be that of the model that it makes it with.
   */
  #openedCall(owner: string, request: GrantRequest): LedgerCall | null {
    const known = this.ledger.get(request.callId);
    if (known === null || known.state !== "open") return known;
    if (known.model === request.model && known.price === JSON.stringify(request.price)) return known;
    this.budgets.settle(this.subjects(owner, known.payer), reservation(known), {});
    this.ledger.withdraw(known.id);
    return null;
  }

  /** Debits whoever pays for the call and opens it in the ledger; or the meter that has no room. */
  #reserve(debtor: Debtor, request: GrantRequest): Reservation | BudgetRow {
    const subjects = this.subjects(debtor.owner, debtor.payer);
    const bound = this.#affordable(subjects, request);
    if ("subject" in bound) return bound;
    // A request is made when it is granted; everything else is known when it has ended.
    const { requestsPerMinute = 0, ...held } = bound.cost;
    this.budgets.reserve(subjects, held);
    this.#warn(this.budgets.count(subjects, { requestsPerMinute }));
    const reservedNanoUsd = bound.cost.nanoUsd ?? 0;
    const most = { outputTokens: bound.outputTokens, nanoUsd: reservedNanoUsd };
    this.ledger.open(debtor, request, most, this.counters.next("changed"));
    return { maxOutputTokens: bound.outputTokens, reservedNanoUsd };
  }

  #granted(callId: string, maxOutputTokens: number, reservedNanoUsd: number, slot: Slot): GrantAnswer {
    return { kind: "granted", callId, maxOutputTokens, reservedNanoUsd, ...slot };
  }

  #queued({ gate }: Errand): GrantAnswer {
    const code = this.allowances.cause(gate);
    return code === null ? { kind: "queued" } : { kind: "queued", vendor: { provider: gate, code } };
  }

  /** The agent's slot, if it has one or may have one now; else it waits in the queue, without one. */
  #slotFor(entry: ProcessEntry, errand: Errand): Slot | null {
    const held = this.slots.of(entry.id);
    const promised = held !== null && this.allowances.stands(held, errand);
    if (!promised && !this.#mayBegin(entry, errand, held !== null)) {
      this.slots.giveBack(entry.id);
      this.processes.startAt(entry.id, this.queue.floor());
      this.queue.enqueue(entry.id, entry.priority, this.processes.get(entry.id)?.vtime ?? 0, errand);
      return null;
    }
    const fence = held?.fence ?? this.counters.next("fence");
    const epoch = promised ? held.epoch : this.allowances.take(errand);
    this.queue.remove(entry.id);
    this.slots.take(entry.id, fence, false, { gate: errand.gate, epoch });
    return { fence, slotMs: LIMITS.slotMs };
  }

  /** Slots are kept from step to step; what an account lends is scarcer and goes to whoever was served least. */
  #mayBegin(entry: ProcessEntry, errand: Errand, hasSlot: boolean): boolean {
    if (hasSlot && errand.gate === "") return true;
    if (!hasSlot && this.slots.free <= 0) return false;
    return !this.#othersAreFirst(entry, errand) && this.allowances.has(errand, entry.id);
  }

  #othersAreFirst(entry: ProcessEntry, { gate }: Errand): boolean {
    const next = this.queue.peek(gate, true);
    if (next === null || next.agent_id === entry.id) return false;
    const urgent = isUrgent(entry.priority) ? 1 : 0;
    return next.urgent > urgent || (next.urgent === urgent && next.vtime <= entry.vtime);
  }

  /** Who is next of those whose calls may begin: a vendor that is busy holds up nobody else. */
  #next(urgentToo: boolean): Waiting | null {
    const heads = ["", ...this.allowances.gates].map((gate) => this.queue.peek(gate, urgentToo));
    const free = heads.filter((head) => head !== null && this.allowances.has(head));
    return free.filter((head) => head !== null).toSorted(inOrder)[0] ?? null;
  }

  /** The longest reply that all budgets allow, with what it costs; or the meter that has no room for any. */
  #affordable(
    subjects: readonly string[],
    request: GrantRequest,
  ): { outputTokens: number; cost: CallCost } | BudgetRow {
    const costOf = (outputTokens: number) => boundOf(request, outputTokens);
    const whole = costOf(request.outputWanted);
    if (this.budgets.blocking(subjects, whole) === null) return { outputTokens: request.outputWanted, cost: whole };
    const blocked = this.budgets.blocking(subjects, leastOf(request));
    if (blocked !== null) return blocked;
    let [low, high] = [leastOutput(request), request.outputWanted];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.budgets.blocking(subjects, costOf(middle)) === null) low = middle;
      else high = middle;
    }
    return { outputTokens: low, cost: costOf(low) };
  }

  #deny(agentId: string, row: BudgetRow, needs: CallCost): GrantAnswer {
    this.slots.giveBack(agentId);
    this.quotaWaiters.put(agentId, needs);
    const subject = row.subject === TENANT ? TENANT : row.subject;
    return { kind: "denied", subject, metric: row.metric, limit: row.limit, used: row.used, reserved: row.reserved };
  }

  /** Rounded, so that step after step the row's index need not be written. */
  #signAt(dueInMs: number | null): number | null {
    if (dueInMs === null) return null;
    return Math.ceil((this.#clock.now() + dueInMs) / LIMITS.signMs + 1) * LIMITS.signMs;
  }

  #hasRoom(agentId: string, needs: CallCost): boolean {
    return this.#blocking(agentId, needs) === null;
  }

  #blocking(agentId: string, needs: CallCost): BudgetRow | null {
    return this.budgets.blocking(this.subjects(agentId), needs);
  }

  /** Enters that meters have passed the mark that is worth a warning. */
  #warn(passed: readonly BudgetRow[]): void {
    for (const { subject, metric, limit, used, per } of passed)
      this.#log.append("quota.warning", "kernel", { subject, metric, limit, used, per });
  }

  /** What the process stores counts against its ancestors and the tenant too. */
  #weigh(entry: ProcessEntry, stored: Stored): void {
    const before = storedOf(entry);
    const change = Object.fromEntries(STORED_NAMES.map((name) => [name, stored[name] - before[name]]));
    this.#warn(this.budgets.count(this.subjects(entry.id), change));
  }

  /** Whoever waits for a call keeps its place in the line, and the slot that it was pushed and has not heard of yet. */
  #rested({ agentId, block }: AgentReport): GrantAnswer {
    const waits = block.state === "ready" || (block.state === "waiting" && block.waitReason === "llm");
    if (!waits || this.slots.of(agentId)?.pushed === false) this.slots.giveBack(agentId);
    if (!waits) this.queue.remove(agentId);
    return { kind: "noted" };
  }

  #note(entry: ProcessEntry, report: AgentReport): void {
    if (report.stored !== undefined && report.seq >= entry.seq) this.#weigh(entry, report.stored);
    const signAt = this.#signAt(report.dueInMs ?? null);
    const day = periodOf("day", this.#clock.now());
    const platform = report.platform === undefined ? null : withReported(entry.platform, report.platform, day);
    this.processes.report(report, this.counters.next("changed"), signAt, platform);
    this.#awaits(report);
    this.questions.sync(report.agentId, report.questions);
    for (const row of report.segments) this.#sql.run(ADD_SEGMENT, report.agentId, JSON.stringify(row));
    if (report.block.state === "terminated") this.#endChildren(report);
  }

  /** What code of the process used counts against it, its ancestors and the tenant, once: reports come again, and late. */
  #burn({ agentId, cpuMs = 0 }: AgentReport): void {
    const before = this.processes.cpuOf(agentId);
    if (before === null || cpuMs <= before.ms) return;
    this.processes.setCpu(agentId, withCpu(before, cpuMs, this.#clock.now()));
    this.#warn(this.budgets.count(this.subjects(agentId), { cpuMs: cpuMs - before.ms }));
  }

  /** A model call that was denied waits since then; a run of code waits from when its process says so. */
  #awaits({ agentId, block, awaitedCpuMs: cpuMs = null }: AgentReport): void {
    if (block.waitReason !== "quota") this.quotaWaiters.remove(agentId);
    else if (cpuMs !== null) this.quotaWaiters.put(agentId, { cpuMs });
  }

  /** TERM and KILL reach the subtree; a child does not outlive its parent. */
  #endChildren(report: AgentReport): void {
    const signal = report.block.exit?.reason === "killed" ? "KILL" : "TERM";
    for (const child of this.processes.children(report.agentId)) this.#sql.run(ADD_SIGNAL, child, signal);
  }
}

/** What the call takes at most when its reply has `outputTokens`. */
function boundOf({ inputBound, price }: GrantRequest, outputTokens: number): CallCost {
  const nanoUsd = maxCostNanoUsd(inputBound, outputTokens, price);
  return { ...LEAST_OF_A_CALL, tokens: inputBound + outputTokens, nanoUsd };
}

function leastOutput({ outputWanted }: GrantRequest): number {
  return Math.min(LEAST_OUTPUT_TOKENS, outputWanted);
}

/** The least for which the call is worth making. */
function leastOf(request: GrantRequest): CallCost {
  return boundOf(request, leastOutput(request));
}
