import type { QuestionRow } from "../../kernel/scheduler/questions.ts";
import type { ApprovalView } from "./rpc.ts";

/** A question that an agent has for a person, as the API shows it. */
export function approvalOf(row: QuestionRow): ApprovalView {
  return {
    id: row.id,
    agentId: row.agent_id,
    kind: row.kind,
    state: row.state,
    question: row.question,
    options: row.options === null ? null : (JSON.parse(row.options) as string[]),
    answer: row.answer,
    createdAt: new Date(row.created_at).toISOString(),
  };
}
