import type { Clock, Sql } from "../ports.ts";
import { passesWarning } from "../process/meters.ts";
import { limitOf, type MeterPeriod, type QuotaName, type Quotas } from "../process/spec.ts";
import { periodOf, startOf } from "./period.ts";

/**
 * Limits and meters of the tenant and of each agent, like cgroups: a child's budget is part of its parent's, never a
 * transfer, so each call is reserved against the agent, its ancestors and the tenant in one transaction.
 *
 * `used + reserved <= limit` always holds after `reserve`; `settle` turns a reservation into use. Only metrics with a
 * limit have a row: what nobody limits costs no writes.
 */

/** What an act takes of each metric. */
export type CallCost = Partial<Record<QuotaName, number>>;

export type BudgetRow = {
  subject: string;
  metric: QuotaName;
  limit: number;
  per: MeterPeriod;
  period: string;
  used: number;
  reserved: number;
};

/** What a meter begins with that is set while its subject is at work. */
export interface Opening {
  /** What open calls hold: they end as reservations of this meter too. */
  held: CallCost;
  /** What was used at `at`, in milliseconds since the epoch, or later. */
  usedSince(at: number): CallCost;
}

const NOTHING: Opening = { held: {}, usedSince: () => ({}) };

/** The tenant as a budget subject; every other subject is an agent's id. */
export const TENANT = "tenant";

const ROWS = `SELECT * FROM budgets WHERE subject = ?`;
const SET = `INSERT INTO budgets (subject, metric, "limit", per, period, used, reserved) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (subject, metric) DO UPDATE SET "limit" = excluded."limit",
    used = iif(per = excluded.per, used, excluded.used), period = iif(per = excluded.per, period, excluded.period), per = excluded.per`;
const UNSET = "DELETE FROM budgets WHERE subject = ? AND metric = ?";
const ROLL = "UPDATE budgets SET period = ?, used = 0 WHERE subject = ? AND metric = ?";
const MOVE =
  "UPDATE budgets SET used = max(0, used + ?), reserved = max(0, reserved + ?) WHERE subject = ? AND metric = ?";
const FORGET = "DELETE FROM budgets WHERE subject = ?";

export class Budgets {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** Sets the limits that `quotas` names, keeping what is used and reserved. A meter that is new begins with `opening`. */
  set(subject: string, quotas: Quotas, opening: Opening = NOTHING): void {
    const now = this.#clock.now();
    for (const [metric, quota] of Object.entries(quotas)) {
      if (quota === undefined) continue;
      const { limit, per } = limitOf(metric as QuotaName, quota);
      const used = opening.usedSince(startOf(per, now))[metric as QuotaName] ?? 0;
      const reserved = opening.held[metric as QuotaName] ?? 0;
      this.#sql.run(SET, subject, metric, limit, per, periodOf(per, now), used, reserved);
    }
  }

  unset(subject: string, metric: QuotaName): void {
    this.#sql.run(UNSET, subject, metric);
  }

  forget(subject: string): void {
    this.#sql.run(FORGET, subject);
  }

  /** The meters of `subject`, with those of a past hour or day begun anew. */
  meters(subject: string): BudgetRow[] {
    return this.#sql.all<BudgetRow>(ROWS, subject).map((row) => this.#rolled(row));
  }

  /** The first meter of `subjects` without room for `cost`, or null when all have it. */
  blocking(subjects: readonly string[], cost: CallCost): BudgetRow | null {
    for (const row of this.#charged(subjects)) {
      if (row.used + row.reserved + (cost[row.metric] ?? 0) > row.limit) return row;
    }
    return null;
  }

  reserve(subjects: readonly string[], cost: CallCost): void {
    this.#move(subjects, cost, (amount) => [0, amount]);
  }

  /** Ends a reservation of `reserved` and counts `used` instead; `used` may be less. Answers as `count` does. */
  settle(subjects: readonly string[], reserved: CallCost, used: CallCost): BudgetRow[] {
    this.#move(subjects, reserved, (amount) => [0, -amount]);
    return this.count(subjects, used);
  }

  /** Counts what was used, or is used no longer. Answers the meters that passed the mark that is worth a warning, as they are now. */
  count(subjects: readonly string[], used: CallCost): BudgetRow[] {
    const moved = this.#move(subjects, used, (amount) => [amount, 0]);
    return moved.flatMap((row) => {
      const now = row.used + (used[row.metric] ?? 0);
      return passesWarning(row.used, now, row.limit) ? [{ ...row, used: now }] : [];
    });
  }

  /** Answers the meters that moved, as they were before. */
  #move(
    subjects: readonly string[],
    cost: CallCost,
    change: (amount: number) => [used: number, reserved: number],
  ): BudgetRow[] {
    const moved = this.#charged(subjects).filter((row) => (cost[row.metric] ?? 0) !== 0);
    for (const row of moved) this.#sql.run(MOVE, ...change(cost[row.metric] ?? 0), row.subject, row.metric);
    return moved;
  }

  /** What is spent by acts of processes: the requests of a tenant are those at its door, counted elsewhere. */
  #charged(subjects: readonly string[]): BudgetRow[] {
    const rows = subjects.flatMap((subject) => this.meters(subject));
    return rows.filter(({ subject, metric }) => subject !== TENANT || metric !== "requestsPerMinute");
  }

  #rolled(row: BudgetRow): BudgetRow {
    const period = periodOf(row.per, this.#clock.now());
    if (period === row.period) return row;
    this.#sql.run(ROLL, period, row.subject, row.metric);
    return { ...row, period, used: 0 };
  }
}
