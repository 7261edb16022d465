import { createHash } from "node:crypto";
import { callIdOf } from "../../../kernel/id.ts";
import { type Chain, contentOf } from "../chain.ts";
import type { Row } from "../state-files.ts";
import type { Evidence, Examined, ModelRequest } from "./evidence.ts";

/**
 * The ledger against the model server's journal, call by call. A row that is settled with a bill names its request by the
 * bill itself; what a crash hid is open or `unknown`, and there is a row for every request that ever arrived.
 */

const ATTEMPTS = 40;
const hash = {
  sha256: (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex"),
};

export function checkLedger(evidence: Evidence, { agent, database, log }: Examined): void {
  const { findings } = evidence;
  const rows = new Map(
    evidence.state.core.all("SELECT * FROM calls WHERE agent_id = ?", agent.id).map((row) => [String(row["id"]), row]),
  );
  const matched = new Set<string>();
  for (const chain of [agent.goal, ...agent.messages.map((message) => message.chain)]) {
    const message = database.all("SELECT id FROM mailbox WHERE content = ?", contentOf(chain))[0]?.["id"];
    if (message === undefined) continue;
    for (const step of chain.steps.keys()) {
      const calls = callsOf(`${agent.id}/${message}/${step}`, rows);
      for (const row of calls) matched.add(String(row["id"]));
      checkStep(evidence, chain, step, calls);
    }
  }
  for (const [id, row] of rows) {
    findings.expect("every row stands for a step", matched.has(id), () => `${agent.name}: ${JSON.stringify(row)}`);
  }
  checkSum(evidence, agent.name, database.all("SELECT cost_nano_usd FROM process")[0], [...rows.values()], log);
}

/** Of an erased agent only the ledger is left: as many rows as it made requests, at least. */
export function checkErasedLedger({ findings, load, requests, state }: Evidence): void {
  for (const { id, name } of load.agents.filter(({ erased }) => erased)) {
    const made = requests.filter(({ place }) => place.chain.id.startsWith(`${name}-`)).length;
    const rows = state.core.all("SELECT id FROM calls WHERE agent_id = ?", id).length;
    findings.expect("no request is without a row", made <= rows, () => `${name}: ${made} requests, ${rows} rows`);
  }
}

/** The rows of one step, attempt by attempt. */
function callsOf(step: string, rows: ReadonlyMap<string, Row>): Row[] {
  return Array.from({ length: ATTEMPTS }, (_, attempt) => rows.get(callIdOf(`${step}/${attempt}`, hash))).filter(
    (row) => row !== undefined,
  );
}

function checkStep({ findings, requests }: Evidence, chain: Chain, step: number, calls: readonly Row[]): void {
  const seen = requests.filter(({ place }) => place.chain.id === chain.id && place.step === step);
  const saw = () =>
    `${chain.id}/${step}: requests ${JSON.stringify(seen.map(short))}, ledger ${JSON.stringify(calls.map(brief))}`;
  const billed = calls.filter((row) => row["state"] === "settled" && Number(row["completion_tokens"]) > 0);
  const named = billed.map((row) =>
    seen.find(
      (request) => request.number === row["completion_tokens"] && request.promptTokens === row["prompt_tokens"],
    ),
  );
  findings.expect(
    "a bill equals its request",
    named.every((request) => request?.replied) && new Set(named).size === named.length,
    saw,
  );
  findings.expect("a step is billed once", billed.length <= 1, saw);
  // A request that the vendor refused costs nothing; the row is settled at zero.
  findings.expect("no request is without a row", seen.length <= calls.length, saw);
  const hidden = seen.filter((request) => !named.includes(request) && !isRefused(request)).length;
  const held = calls.filter((row) => row["state"] !== "settled").length;
  findings.expect("what a crash hid is open or unknown", hidden <= held, saw);
}

function isRefused({ fault }: ModelRequest): boolean {
  return fault === "status" || fault === "rate_limit";
}

/** The agent's own count is the sum of its rows: those that it began. */
function checkSum(
  { findings }: Evidence,
  name: string,
  process: Row | undefined,
  rows: readonly Row[],
  log: Examined["log"],
): void {
  const begun = new Set(log.filter(({ kind }) => kind === "call.start").map(({ callId }) => callId));
  const sum = rows
    .filter((row) => begun.has(String(row["id"])))
    .reduce(
      (total, row) => total + Number(row["state"] === "open" ? row["reserved_nano_usd"] : row["cost_nano_usd"]),
      0,
    );
  findings.expect(
    "the agent's cost is the sum of its rows",
    process?.["cost_nano_usd"] === sum,
    () => `${name}: ${process?.["cost_nano_usd"]}, ledger ${sum}`,
  );
}

/** The bill is the ledger's sum. */
export function checkBill({ findings, state, bill }: Evidence): void {
  const rows = state.core.all(
    `SELECT agent_id AS id, count(*) AS calls, sum(cost_nano_usd) AS cost FROM calls
      WHERE state <> 'open' AND settled_at < ? GROUP BY 1`,
    bill.before,
  );
  for (const row of rows) {
    const told = bill.agents.get(String(row["id"]));
    const equal = told?.calls === row["calls"] && told?.costNanoUsd === row["cost"];
    findings.expect("the bill is the ledger", equal, () => `${JSON.stringify(told)}, ledger ${JSON.stringify(row)}`);
  }
  findings.expect(
    "the bill is the ledger",
    rows.length === bill.agents.size,
    () => `${bill.agents.size} agents billed`,
  );
}

/** The meters hold what the ledger says. */
export function checkMeters({ findings, state, load }: Evidence): void {
  for (const agent of load.agents.filter(({ erased }) => !erased)) {
    const calls = state.core.all(
      `SELECT coalesce(sum(iif(state = 'open', 0, prompt_tokens + completion_tokens)), 0) AS used,
        coalesce(sum(iif(state = 'open', input_bound + output_bound, 0)), 0) AS reserved
        FROM calls WHERE agent_id = ? OR agent_id IN (SELECT id FROM processes WHERE parent_id = ?)`,
      agent.id,
      agent.id,
    )[0];
    const meter = state.core.all(
      "SELECT used, reserved FROM budgets WHERE subject = ? AND metric = 'tokens'",
      agent.id,
    )[0];
    const equal = meter?.["used"] === calls?.["used"] && meter?.["reserved"] === calls?.["reserved"];
    findings.expect(
      "meters equal the ledger",
      equal,
      () => `${agent.name}: meter ${JSON.stringify(meter)}, ledger ${JSON.stringify(calls)}`,
    );
  }
}

function short({ number, promptTokens, replied, fault }: ModelRequest): object {
  return { number, promptTokens, replied, fault };
}

function brief(row: Row): object {
  const { id, state, prompt_tokens: prompt, completion_tokens: completion, cost_nano_usd: cost } = row;
  return { id, state, prompt, completion, cost };
}
