import type { Sql, SqlRow } from "../ports.ts";
import type { OpenQuestion } from "./grant.ts";

/** Questions that agents have for people, as each agent last reported them: the report is the whole truth about its agent. */

export interface QuestionRow extends SqlRow {
  id: string;
  agent_id: string;
  call_id: string;
  kind: "approval" | "question";
  state: "open" | "answered" | "withdrawn";
  question: string;
  options: string | null;
  answer: string | null;
  created_at: number;
}

const OPEN_OF = "SELECT id FROM approvals WHERE agent_id = ? AND state = 'open'";
const OPEN = `INSERT INTO approvals (id, agent_id, call_id, kind, state, question, options, answer, created_at)
  VALUES (?, ?, ?, 'question', 'open', ?, ?, NULL, ?) ON CONFLICT (id) DO NOTHING`;
const WITHDRAW = "UPDATE approvals SET state = 'withdrawn' WHERE id = ? AND state = 'open'";
const ANSWER = "UPDATE approvals SET state = 'answered', answer = ? WHERE id = ?";
const GET = "SELECT * FROM approvals WHERE id = ?";
const LIST = "SELECT * FROM approvals WHERE id > ? AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3";
const FORGET = "DELETE FROM approvals WHERE agent_id = ?";

export class Questions {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Opens what is new and withdraws what the agent no longer asks. */
  sync(agentId: string, open: readonly OpenQuestion[]): void {
    const known = new Set(this.#sql.all<{ id: string }>(OPEN_OF, agentId).map((row) => row.id));
    for (const question of open) {
      if (known.delete(question.id)) continue;
      const options = question.options === null ? null : JSON.stringify(question.options);
      this.#sql.run(OPEN, question.id, agentId, question.callId, question.question, options, question.createdAt);
    }
    for (const id of known) this.#sql.run(WITHDRAW, id);
  }

  get(id: string): QuestionRow | null {
    return this.#sql.first<QuestionRow>(GET, id) ?? null;
  }

  answered(id: string, answer: string): void {
    this.#sql.run(ANSWER, answer, id);
  }

  list(state: QuestionRow["state"] | null, after: string, limit: number): QuestionRow[] {
    return this.#sql.all<QuestionRow>(LIST, after, state, limit);
  }

  forget(agentId: string): void {
    this.#sql.run(FORGET, agentId);
  }
}
