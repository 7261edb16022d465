import type { ErrorCode } from "../../errors.ts";
import type { Sql, SqlRow } from "../../ports.ts";
import { type BreakerState, CLOSED } from "./breaker.ts";

/** The one row of an account, as a value: read at the beginning of a lease and written once at its end. */
export interface AccountState {
  breaker: BreakerState;
  /** What is in the buckets of the minute, as of `filledAt`. */
  calls: number;
  tokens: number;
  filledAt: number;
  lastError: { code: ErrorCode; at: number } | null;
}

interface AccountRow extends SqlRow {
  state: BreakerState["state"];
  epoch: number;
  failures: number;
  rounds: number;
  until: number;
  probe: string | null;
  calls: number;
  tokens: number;
  filled_at: number;
  last_code: ErrorCode | null;
  last_at: number | null;
}

const GET = "SELECT * FROM account WHERE id = 1";
const PUT = `INSERT INTO account (id, state, epoch, failures, rounds, until, probe, calls, tokens, filled_at, last_code, last_at)
  VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, epoch = excluded.epoch, failures = excluded.failures,
  rounds = excluded.rounds, until = excluded.until, probe = excluded.probe, calls = excluded.calls, tokens = excluded.tokens,
  filled_at = excluded.filled_at, last_code = excluded.last_code, last_at = excluded.last_at`;

/** `full` is what the buckets of an account hold that was never asked. */
export function readAccount(sql: Sql, full: { calls: number; tokens: number }, now: number): AccountState {
  const row = sql.first<AccountRow>(GET);
  if (row === undefined) return { breaker: CLOSED, ...full, filledAt: now, lastError: null };
  const { state, epoch, failures, rounds, until, probe, calls, tokens, filled_at: filledAt } = row;
  const { last_code: code, last_at: at } = row;
  return {
    breaker: { state, epoch, failures, rounds, until, probe },
    calls,
    tokens,
    filledAt,
    lastError: code === null || at === null ? null : { code, at },
  };
}

export function writeAccount(sql: Sql, { breaker, calls, tokens, filledAt, lastError }: AccountState): void {
  const { state, epoch, failures, rounds, until, probe } = breaker;
  const error = [lastError?.code ?? null, lastError?.at ?? null];
  sql.run(PUT, state, epoch, failures, rounds, until, probe, calls, tokens, filledAt, ...error);
}
