import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../kernel/log/log.ts";
import { isPerson } from "../../kernel/process/consent.ts";
import type { Decision } from "../../kernel/process/parking.ts";
import type { RuleSpec } from "../../kernel/scheduler/approval-rules.ts";
import type { Action } from "../../kernel/scheduler/grant.ts";
import type { PersonsWord, QuestionRow } from "../../kernel/scheduler/questions.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import type { Actor, AgentOrders, Listing, ListOptions } from "../agent/rpc.ts";
import { within } from "../deadline.ts";
import type { ApprovalView } from "./rpc.ts";
import type { RuleBook } from "./rule-book.ts";

interface ApprovalParts {
  tx: Transactions;
  log: Log;
  scheduler: Scheduler;
  rules: RuleBook;
  agent(agentId: string): AgentOrders;
}

/**
 * People in the loop: what the tenant's agents wait for a person to say. The agent's own tables decide whether a word still
 * counts, in the transaction that acts on it; what is listed here follows the agents' reports.
 */
export class Approvals {
  readonly #tx: Transactions;
  readonly #log: Log;
  readonly #scheduler: Scheduler;
  readonly #rules: RuleBook;
  readonly #agent: (agentId: string) => AgentOrders;

  constructor(parts: ApprovalParts) {
    this.#tx = parts.tx;
    this.#log = parts.log;
    this.#scheduler = parts.scheduler;
    this.#rules = parts.rules;
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
    if (!isPerson(actor))
      return err("forbidden", "Only a person answers: an agent approves nothing, least of all itself.");
    const row = questions.get(approvalId);
    if (row === null) return err("not_found", "There is no such approval.");
    if (row.state !== "open") return err("conflict", `It is ${row.state}; only an open one takes a person's word.`);
    const misfit = misfitOf(row, word);
    if (misfit !== null) return misfit;
    const { actionSha256 } = actionOf(row) ?? {};
    if (word.actionSha256 !== undefined && word.actionSha256 !== actionSha256)
      return err("conflict", "It is about another action than the one that you saw; look at it again.");
    const taken = await within(LIMITS.rpcMs, "answer", this.#tell(row, word, actor));
    if (taken === null) return err("unavailable", "The agent did not answer in time; try again.");
    if (!taken.ok) return taken;
    this.#tx.run(() => {
      questions.answered(approvalId, word);
      const decided = word.decision === undefined ? {} : { decision: word.decision };
      this.#log.append("approval.answer", actor, { approvalId, agentId: row.agent_id, ...decided }, row.call_id);
    });
    const rule = ruleOf(row, word);
    const added = rule === null ? null : this.#rules.add(rule, actor);
    if (added !== null && !added.ok) return added;
    return ok(viewOf(questions.get(approvalId) ?? row));
  }

  #tell(row: QuestionRow, { answer, decision, note }: PersonsWord, actor: Actor): Promise<Result<null>> {
    const agent = this.#agent(row.agent_id);
    const action = actionOf(row);
    if (decision === undefined || action === null) return agent.answer(row.call_id, answer ?? "", actor);
    const { attempt, inputSha256, actionSha256 } = action;
    const about = { callId: row.call_id, attempt, inputSha256, actionSha256 };
    return agent.decide({ ...about, decision, answer: answer ?? null, note }, actor);
  }
}

/** A question takes an answer; an approval one of the decisions that it offers, and what the action answered if it was done. */
function misfitOf(row: QuestionRow, { answer, decision, remember }: PersonsWord): Result<never> | null {
  const wants = (path: string, message: string) =>
    err("invalid_input", `It is ${row.kind === "question" ? "a question" : "an approval"}: ${message}.`, {
      issues: [{ path, message }],
    });
  if (row.kind === "question") {
    if (decision !== undefined) return wants("$.decision", "it takes an answer and no decision");
    return answer === undefined ? wants("$.answer", "it takes an answer") : null;
  }
  const offered = JSON.parse(row.options ?? "[]") as string[];
  if (decision === undefined || !offered.includes(decision))
    return wants("$.decision", `it takes a decision: ${offered.join(", ")}`);
  if (answer !== undefined && decision !== "done") return wants("$.answer", "only what was done has an answer");
  if (remember === undefined) return null;
  if (decision !== "approve" && decision !== "deny") return wants("$.remember", "what became of one call is no rule");
  const isNowhere = remember.for === "host" && (actionOf(row)?.host ?? null) === null;
  return isNowhere ? wants("$.remember.for", "this action is at no host") : null;
}

/** The rule that the person's word asks for, or null. */
function ruleOf(row: QuestionRow, { decision, remember, note }: PersonsWord): RuleSpec | null {
  const action = actionOf(row);
  if (remember === undefined || action === null || (decision !== "approve" && decision !== "deny")) return null;
  const { scope, for: kind = "exact", until } = remember;
  const { tool, host, canonicalSha256 } = action;
  return {
    decision,
    scope,
    tool,
    for: kind,
    ...(scope === "tenant" ? {} : { agentId: row.agent_id }),
    ...(kind === "host" && host ? { host } : {}),
    ...(kind === "exact" && canonicalSha256 !== undefined ? { canonicalSha256 } : {}),
    ...(until === undefined ? {} : { until }),
    ...(note === undefined ? {} : { note }),
  };
}

function actionOf(row: QuestionRow): Action | null {
  return row.action === null ? null : (JSON.parse(row.action) as Action);
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
    action: actionOf(row),
    decision: row.decision as Decision | null,
    note: row.note,
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  };
}
