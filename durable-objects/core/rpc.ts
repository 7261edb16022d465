import type { Result } from "../../kernel/errors.ts";
import type { ChainReport, LogEntry } from "../../kernel/log/log.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { ProcessPatch, ProcessSpec } from "../../kernel/process/spec.ts";
import type { State } from "../../kernel/process/state.ts";
import type { CostGroup, CostReport } from "../../kernel/scheduler/costs.ts";
import type { AgentReport, GrantReply, GrantRequest } from "../../kernel/scheduler/grant.ts";
import type { Actor, Listing, ListOptions } from "../agent/rpc.ts";

export interface ApprovalView {
  id: string;
  agentId: string;
  kind: "approval" | "question";
  state: "open" | "answered" | "withdrawn";
  question: string;
  options: string[] | null;
  answer: string | null;
  createdAt: string;
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
  costs(options: {
    groupBy: CostGroup;
    from?: string | undefined;
    to?: string | undefined;
  }): Promise<Result<CostReport>>;
  approvals(options: ListOptions & { state?: "open" | "answered" | undefined }): Promise<Result<Listing<ApprovalView>>>;
  answer(approvalId: string, body: { answer: string }, actor: Actor): Promise<Result<ApprovalView>>;
  audit(
    options: ListOptions & { action?: string | undefined; from?: string | undefined },
  ): Promise<Result<Listing<LogEntry>>>;
  verify(): Promise<Result<ChainReport>>;
  /** Cron's call when the core's `due_at` in D1 has passed: does what alarms missed. Harmless when nothing is due. */
  sweep(): Promise<Result<null>>;
}

/** What an agent asks of its core, once a step: see kernel/scheduler/grant.ts. */
export interface CoreGrants {
  settleAndGrant(report: AgentReport, next: GrantRequest | null): Promise<GrantReply>;
}
