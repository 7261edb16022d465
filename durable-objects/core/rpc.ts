import type { ErrorCode, Result } from "../../kernel/errors.ts";
import type { OpenedCalls } from "../../kernel/llm/batch/job-parts.ts";
import type { ChainEnd } from "../../kernel/log/chain.ts";
import type { ChainReport, LogEntry } from "../../kernel/log/log.ts";
import type { Witness } from "../../kernel/log/verification.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { Decision } from "../../kernel/process/parking.ts";
import type { ProcessPatch, ProcessSpec, Quotas } from "../../kernel/process/spec.ts";
import type { State } from "../../kernel/process/state.ts";
import type { ApprovalRule, Asked, RuleSpec, RuleWord } from "../../kernel/scheduler/approval-rules.ts";
import type { CostGroup, CostPeriod, CostReport } from "../../kernel/scheduler/costs.ts";
import type {
  Action,
  AgentReport,
  CacheHit,
  GrantReply,
  GrantRequest,
  Reservation,
  Settlement,
} from "../../kernel/scheduler/grant.ts";
import type { LedgerEntry } from "../../kernel/scheduler/ledger.ts";
import type { PersonsWord } from "../../kernel/scheduler/questions.ts";
import type { Actor, Listing, ListOptions } from "../agent/rpc.ts";

export interface ApprovalView {
  id: string;
  agentId: string;
  kind: "approval" | "question";
  state: "open" | "answered" | "withdrawn";
  question: string;
  options: string[] | null;
  answer: string | null;
  /** What an approval is about; null for a question. */
  action: Action | null;
  decision: Decision | null;
  note: string | null;
  createdAt: string;
  /** When the process gives up waiting; null = never. */
  expiresAt: string | null;
}

/** The tenant's budgets as they stand. */
export interface TenantMeters {
  quotas: Record<string, { limit: number; used: number; reserved: number; per: "minute" | "hour" | "day" | "total" }>;
}

/** Whether a request is within the rates of its key and tenant; the numbers are those of the tighter one. */
export interface Admission {
  admitted: boolean;
  /** Requests a minute. */
  limit: number;
  remaining: number;
  resetMs: number;
}

/** A model call that the calls queue gave up to deliver. */
export interface DeadLetter {
  callId: string;
  agentId: string;
  /** In words for people. */
  reason: string;
  /** How often the call had been put into the queue. */
  attempts: number;
  at: string;
}

/** What a tenant's `KernelCore` object answers to the Worker by RPC. */
export interface CoreRpc {
  /** Durable and listed when it answers. `idempotencyKey` replays the first answer for 24 h. */
  spawn(
    spec: ProcessSpec,
    options: { actor: Actor; idempotencyKey?: string | undefined },
  ): Promise<Result<ControlBlock>>;
  list(
    options: ListOptions & { state?: State | undefined; name?: string | undefined; parentId?: string | undefined },
  ): Promise<Result<Listing<ControlBlock>>>;
  patch(agentId: string, patch: ProcessPatch, actor: Actor): Promise<Result<ControlBlock>>;
  /** Killed, then erased in every tier; `not_found` from then on. */
  erase(agentId: string, actor: Actor): Promise<Result<null>>;
  costs(options: CostPeriod & { groupBy: CostGroup }): Promise<Result<CostReport>>;
  /** Calls one by one, the newest first. */
  ledger(options: ListOptions & { agentId?: string | undefined }): Promise<Result<Listing<LedgerEntry>>>;
  approvals(options: ListOptions & { state?: "open" | "answered" | undefined }): Promise<Result<Listing<ApprovalView>>>;
  /** A question takes an answer, an approval a decision; anything else is `invalid_input`. `conflict` when it is not open. */
  answer(approvalId: string, word: PersonsWord, actor: Actor): Promise<Result<ApprovalView>>;
  approvalRules(options: ListOptions): Promise<Result<Listing<ApprovalRule>>>;
  /** `not_found` for an agent that is not there, `quota_exceeded` when there are too many. Keyed like `spawn`. */
  addApprovalRule(
    rule: RuleSpec,
    options: { actor: Actor; idempotencyKey?: string | undefined },
  ): Promise<Result<ApprovalRule>>;
  deleteApprovalRule(ruleId: string, actor: Actor): Promise<Result<null>>;
  /** Takes a dead letter in; again for the same call renews it. `not_found` for an agent that was erased. */
  deadLetter(letter: Omit<DeadLetter, "at">): Promise<Result<null>>;
  deadLetters(options: ListOptions): Promise<Result<Listing<DeadLetter>>>;
  /** Sends the call once more and takes it off the list; `conflict`, and off the list too, when it has ended meanwhile. */
  retryDeadLetter(callId: string, actor: Actor): Promise<Result<DeadLetter>>;
  audit(
    options: ListOptions & { action?: string | undefined; from?: string | undefined },
  ): Promise<Result<Listing<LogEntry>>>;
  /** `known`: places of the chain that are written down elsewhere, in order. */
  verify(known?: readonly ChainEnd[]): Promise<Result<ChainReport>>;
  /** Log entries after `after`, at most `limit`. */
  log(options: { after: number; limit: number }): Promise<Result<{ entries: LogEntry[]; head: number }>>;
  /** What the core remembers of a chain: an agent's, also of an erased one, or its own (`core`). */
  witness(object: string): Promise<Result<Witness>>;
  /** Exports and signs now what has changed, as far as one round comes. */
  checkpoint(actor: Actor): Promise<Result<null>>;
  /** Removes exported segments whose checkpoints are older than `before`, and their entries from the logs; as far as one round comes. */
  retire(before: number): Promise<Result<{ done: boolean }>>;
  quotas(): Promise<Result<TenantMeters>>;
  /** Sets exactly these budgets and lets agents that wait for a quota ask again. `seq` is the log entry that says so. */
  setQuotas(quotas: Quotas, actor: Actor): Promise<Result<TenantMeters & { seq: number }>>;
  /** Of one key: its own calls, its batches, and the processes that it had spawned. */
  keyQuotas(keyId: string): Promise<Result<TenantMeters>>;
  /** Sets exactly these budgets of the key. */
  setKeyQuotas(keyId: string, quotas: Quotas, actor: Actor): Promise<Result<TenantMeters>>;
  /**
   * Reserves money for a model call that a key makes by itself; the call ends with `settleCall`, or as `unknown` when its
   * time has passed. `quota_exceeded` names the spent budget. Repeating it answers the first reservation.
   */
  openCall(owner: Actor, request: GrantRequest): Promise<Result<Reservation & { epoch: number }>>;
  /** Settles a call of `openCall`, once; harmless when repeated. */
  settleCall(settlement: Settlement): Promise<Result<null>>;
  /** Enters a call that the reply cache answered; `conflict` when the reply is from before a purge. */
  cacheHit(owner: Actor, hit: CacheHit): Promise<Result<null>>;
  /** Makes every cached reply of the tenant worthless, in all levels at once. */
  purgeCache(actor: Actor): Promise<Result<null>>;
  /** `openCall` for many at once, in one transaction and in order, up to the first that does not fit. `payer` is the key behind `owner`. */
  openCalls(owner: Actor, requests: readonly GrantRequest[], payer: Actor): Promise<Result<OpenedCalls>>;
  /** `settleCall` for many at once, in one transaction. */
  settleCalls(settlements: readonly Settlement[]): Promise<Result<null>>;
  /** Counts one request of a key; null when neither the key nor the tenant limits requests. */
  admit(keyId: string, requestsPerMinute: number | null): Promise<Result<Admission | null>>;
  /** Puts into the chain what was done to the tenant outside of its objects. */
  record(action: string, actor: Actor, facts: Record<string, string>): Promise<Result<null>>;
  /** Enters a request that a key's role did not allow; of many in a minute, how many there were. */
  deny(actor: Actor, denial: { route: string; reason: string }): Promise<Result<null>>;
  /** Cron's call when the core's `due_at` in D1 has passed: does what alarms missed. Harmless when nothing is due. */
  sweep(): Promise<Result<null>>;
  /** The local runtime's call when it began anew at `beganAt`: tells every agent whose call may have been in the queue. */
  queueLost(beganAt: number): Promise<Result<null>>;
}

/** What the gate of a vendor account tells the cores that have something of it. */
export interface CoreVendors {
  /** The vendor is down for `cause`, and asked again in `retryMs`; or, with null, it is there again. Lost, it does no harm. */
  vendorMoved(provider: string, cause: ErrorCode | null, retryMs: number): Promise<void>;
}

/** What an agent asks of its core, once a step: see kernel/scheduler/grant.ts. */
export interface CoreGrants {
  settleAndGrant(report: AgentReport, next: GrantRequest | null): Promise<GrantReply>;
  /** What the rules about approvals say of an action now; null = nothing. */
  ruleFor(agentId: string, asked: Asked): Promise<RuleWord | null>;
}
