import type { Sql, SqlRow } from "../ports.ts";
import type { Decision } from "../process/parking.ts";
import type { RuleKind, RuleScope } from "./approval-rules.ts";
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
  /** JSON of the action that an approval is about. */
  action: string | null;
  decision: string | null;
  note: string | null;
  created_at: number;
  expires_at: number | null;
}

/** What to remember of a decision: whose actions it is about, and which. */
export interface Remember {
  scope: RuleScope;
  /** Absent = exactly this input. */
  for?: RuleKind | undefined;
  /** RFC 3339. */
  until?: string | undefined;
}

/** What a person says: an answer to a question, or a decision on an action. */
export interface PersonsWord {
  answer?: string | undefined;
  decision?: Decision | undefined;
  /** For the record; with `deny`, the agent is told. */
  note?: string | undefined;
  /** The action that the person saw: a decision on any other is a `conflict`. */
  actionSha256?: string | undefined;
  /** Makes a rule that decides alike from now on. */
  remember?: Remember | undefined;
}

const OPEN_OF = "SELECT id FROM approvals WHERE agent_id = ? AND state = 'open'";
const OPEN = `INSERT INTO approvals (id, agent_id, call_id, kind, state, question, options, action, created_at, expires_at)
  VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?, ?) 
  ON CONFLICT (id) DO UPDATE SET state = 'open' WHERE state = 'withdrawn'`;
const WITHDRAW = "UPDATE approvals SET state = 'withdrawn' WHERE id = ? AND state = 'open'";
const ANSWER = "UPDATE approvals SET state = 'answered', answer = ?, decision = ?, note = ? WHERE id = ?";
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
      this.#open(agentId, question);
    }
    for (const id of known) this.#sql.run(WITHDRAW, id);
  }

  get(id: string): QuestionRow | null {
    return this.#sql.first<QuestionRow>(GET, id) ?? null;
  }

  answered(id: string, { answer, decision, note }: PersonsWord): void {
    this.#sql.run(ANSWER, answer ?? null, decision ?? null, note ?? null, id);
  }

  list(state: QuestionRow["state"] | null, after: string, limit: number): QuestionRow[] {
    return this.#sql.all<QuestionRow>(LIST, after, state, limit);
  }

  forget(agentId: string): void {
    this.#sql.run(FORGET, agentId);
  }

  #open(agentId: string, { id, callId, kind, question, options, action, createdAt, expiresAt }: OpenQuestion): void {
    const [choices, act] = [options, action].map((value) => (value === null ? null : JSON.stringify(value)));
    this.#sql.run(OPEN, id, agentId, callId, kind, question, choices ?? null, act ?? null, createdAt, expiresAt);
  }
}
