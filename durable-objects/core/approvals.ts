import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../kernel/log/log.ts";
import type { Decision } from "../../kernel/process/parking.ts";
import type { Action } from "../../kernel/scheduler/grant.ts";
import type { PersonsWord, QuestionRow } from "../../kernel/scheduler/questions.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import type { Actor, AgentOrders, Listing, ListOptions } from "../agent/rpc.ts";
import { within } from "../deadline.ts";
import type { ApprovalView } from "./rpc.ts";

/**
 * People in the loop: what the tenant's agents wait for a person to say. The agent's own tables decide whether a word still
 * counts, in the transaction that acts on it; what is listed here follows the agents' reports.
 */
export class Approvals {
  readonly #tx: Transactions;
  readonly #log: Log;
  readonly #scheduler: Scheduler;
  readonly #agent: (agentId: string) => AgentOrders;

  constructor(parts: { tx: Transactions; log: Log; scheduler: Scheduler; agent: (agentId: string) => AgentOrders }) {
    this.#tx = parts.tx;
    this.#log = parts.log;
    this.#scheduler = parts.scheduler;
    this.#agent = parts.agent;
  }

  list(options: ListOptions & { state?: "open" | "answered" | undefined }): Listing<ApprovalView> {
    const { limit, cursor = "", state = null } = options;
    const rows = this.#scheduler.questions.list(state, cursor, limit + 1);
    const items = rows.slice(0, limit).map(viewOf);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** The agent first: what it has taken is durable, and it takes one word about one thing. */
  async answer(approvalId: string, word: PersonsWord, actor: Actor): Promise<Result<ApprovalView>> {
    const { questions } = this.#scheduler;
    const row = questions.get(approvalId);
    if (row === null) return err("not_found", "There is no such approval.");
    if (row.state !== "open") return err("conflict", `It is ${row.state}; only an open one takes a person's word.`);
    const misfit = misfitOf(row, word);
    if (misfit !== null) return misfit;
    const taken = await within(LIMITS.rpcMs, "answer", this.#tell(row, word, actor));
    if (taken === null) return err("unavailable", "The agent did not answer in time; try again.");
    if (!taken.ok) return taken;
    this.#tx.run(() => {
      questions.answered(approvalId, word);
      const decided = word.decision === undefined ? {} : { decision: word.decision };
      this.#log.append("approval.answer", actor, { approvalId, agentId: row.agent_id, ...decided }, row.call_id);
    });
    return ok(viewOf(questions.get(approvalId) ?? row));
  }

  #tell(row: QuestionRow, { answer, decision }: PersonsWord, actor: Actor): Promise<Result<null>> {
    const agent = this.#agent(row.agent_id);
    if (decision === undefined) return agent.answer(row.call_id, answer ?? "", actor);
    const { attempt, inputSha256 } = JSON.parse(row.action ?? "{}") as Action;
    return agent.decide({ callId: row.call_id, attempt, inputSha256, decision, answer: answer ?? null }, actor);
  }
}

/** A question takes an answer; an approval takes a decision, and what the action answered if it was done. */
function misfitOf(row: QuestionRow, { answer, decision }: PersonsWord): Result<never> | null {
  const wants = (path: string, message: string) =>
    err("invalid_input", `It is ${row.kind === "question" ? "a question" : "an approval"}: ${message}.`, {
      issues: [{ path, message }],
    });
  if (row.kind === "question") {
    if (decision !== undefined) return wants("$.decision", "it takes an answer and no decision");
    return answer === undefined ? wants("$.answer", "it takes an answer") : null;
  }
  if (decision === undefined) return wants("$.decision", "it takes a decision: done, not_done or abandon");
  const isTold = answer === undefined || decision === "done";
  return isTold ? null : wants("$.answer", "only what was done has an answer");
}

function viewOf(row: QuestionRow): ApprovalView {
  return {
    id: row.id,
    agentId: row.agent_id,
    kind: row.kind,
    state: row.state,
    question: row.question,
    options: row.options === null ? null : (JSON.parse(row.options) as string[]),
    answer: row.answer,
    action: row.action === null ? null : (JSON.parse(row.action) as Action),
    decision: row.decision as Decision | null,
    note: row.note,
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  };
}
