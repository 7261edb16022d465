import { err, type KernelError, ok, type Result } from "../errors.ts";
import { newId } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Random, Sql, SqlRow } from "../ports.ts";
import { LABELS, type Label, labelOf, labelText } from "../security/label.ts";
import type { MessageState, MessageView } from "./message.ts";

/** The mailbox: accepted messages in order, each of which ends in exactly one of answered, failed, parked, cancelled. */

export interface MessageRow extends SqlRow {
  ordinal: number;
  id: string;
  state: MessageState;
  content: string;
  sender: string;
  /** `trust/sensitivity` */
  label: string;
  reply: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  updated_at: number;
}

const PUT = `INSERT INTO mailbox (id, state, content, sender, label, reply, error_code, error_message, created_at, updated_at)
  VALUES (?, 'queued', ?, ?, ?, NULL, NULL, NULL, ?, ?)`;
const ORDERS = `SELECT content FROM mailbox WHERE label NOT GLOB 'untrusted/*' AND instr(lower(content), ?) > 0
  ORDER BY ordinal DESC LIMIT ?`;
const GET = "SELECT * FROM mailbox WHERE id = ?";
const NEXT = "SELECT * FROM mailbox WHERE state = 'queued' ORDER BY ordinal LIMIT 1";
const WAITING = "SELECT count(*) AS n FROM mailbox WHERE state IN ('queued', 'running')";
const OPEN = "SELECT * FROM mailbox WHERE state IN ('queued', 'running') ORDER BY ordinal";
const LIST = "SELECT * FROM mailbox WHERE ordinal > ? ORDER BY ordinal LIMIT ?";
const ORDINAL = "SELECT ordinal FROM mailbox WHERE id = ?";
const SET =
  "UPDATE mailbox SET state = ?, reply = ?, error_code = ?, error_message = ?, updated_at = ? WHERE id = ? AND state IN ('queued', 'running')";

/** How a message ends. */
export type MessageEnd =
  | { state: "answered"; reply: string }
  | { state: "failed" | "parked"; error: KernelError }
  | { state: "cancelled" };

export function messageViewOf(row: MessageRow): MessageView {
  return {
    id: row.id,
    state: row.state,
    content: row.content,
    from: row.sender,
    label: labelOf(row.label),
    ...(row.reply === null ? {} : { reply: row.reply }),
    ...(row.error_code === null ? {} : { error: { code: row.error_code, message: row.error_message ?? "" } }),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

export class Mailbox {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(ports: { sql: Sql; clock: Clock; random: Random }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  /** Queues a message; `mailbox_full` over `LIMITS.mailboxMessages` that wait. */
  put(content: string, sender: string, label: Label = LABELS.message): Result<{ messageId: string }> {
    const waiting = this.#sql.first<{ n: number }>(WAITING)?.n ?? 0;
    if (waiting >= LIMITS.mailboxMessages) {
      return err("mailbox_full", `${waiting} messages wait already; send again when some are answered`, {
        retryAfterMs: 1_000,
      });
    }
    const id = newId("msg", { clock: this.#clock, random: this.#random });
    const now = this.#clock.now();
    this.#sql.run(PUT, id, content, sender, labelText(label), now, now);
    return ok({ messageId: id });
  }

  get(id: string): MessageRow | null {
    return this.#sql.first<MessageRow>(GET, id) ?? null;
  }

  /** The newest messages of those who may give orders that hold `part`, in lower case. */
  orders(part: string, limit: number): string[] {
    return this.#sql.all<{ content: string }>(ORDERS, part.toLowerCase(), limit).map(({ content }) => content);
  }

  /** The oldest queued message, or null. */
  next(): MessageRow | null {
    return this.#sql.first<MessageRow>(NEXT) ?? null;
  }

  /** Queued and running messages. */
  open(): MessageRow[] {
    return this.#sql.all<MessageRow>(OPEN);
  }

  started(id: string): void {
    this.#sql.run(SET, "running", null, null, null, this.#clock.now(), id);
  }

  /** Ends a message that is queued or running; false when it had ended before. */
  end(id: string, end: MessageEnd): boolean {
    const reply = end.state === "answered" ? end.reply : null;
    const error = "error" in end ? end.error : null;
    return this.#sql.run(SET, end.state, reply, error?.code ?? null, error?.message ?? null, this.#clock.now(), id) > 0;
  }

  /** Oldest first; the cursor is the last message's id. */
  list(limit: number, cursor: string | undefined): { items: MessageView[]; nextCursor: string | null } {
    const after = cursor === undefined ? 0 : (this.#sql.first<{ ordinal: number }>(ORDINAL, cursor)?.ordinal ?? 0);
    const rows = this.#sql.all<MessageRow>(LIST, after, limit + 1);
    const items = rows.slice(0, limit).map(messageViewOf);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}
