import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { isLegal, type State } from "../../../kernel/process/state.ts";
import type { Evidence, Examined, LogRow } from "./evidence.ts";

/** The log: whole, unchanged since a client saw it, and with legal transitions only. */
export function checkLog({ findings }: Evidence, { agent, log }: Examined): void {
  const broken = brokenAt(log);
  findings.expect("the chain verifies", broken === null, () => `${agent.name}: entry ${broken}`);
  for (const fault of agent.watcher.faults)
    findings.expect("what a client saw stays", false, () => `${agent.name}: ${fault}`);
  for (const seen of agent.watcher.seen.values()) {
    const row = log[seen.seq - 1];
    const same =
      row?.seq === seen.seq &&
      row.kind === seen.kind &&
      (isCut(seen.data) || isDeepStrictEqual(JSON.parse(seen.data), factsOf(row)));
    findings.expect(
      "what a client saw stays",
      same,
      () => `${agent.name} ${seen.seq}: ${seen.kind} ${seen.data} is ${JSON.stringify(row)}`,
    );
  }
  let state: State = "new";
  for (const { seq, data } of log.filter(({ kind }) => kind === "process.state")) {
    const [from, to] = [data["from"] as State, data["to"] as State];
    const legal = from === state && (from === to || isLegal(from, to));
    findings.expect("transitions are legal", legal, () => `${agent.name} ${seq}: ${from} -> ${to} after ${state}`);
    state = to;
  }
}

/** An entry as the event stream shows it. */
function factsOf({ at, actor, callId, data }: LogRow): object {
  return { at: new Date(at).toISOString(), ...data, actor, ...(callId === null ? {} : { callId }) };
}

/** Facts too large for an event are cut, and say so. */
function isCut(data: string): boolean {
  return data.includes('"truncated":true');
}

/** The number of the first entry that does not fit, or null: the formula of `kernel/log/log.ts`, computed apart from it. */
export function brokenAt(log: readonly LogRow[]): number | null {
  let previous = "0".repeat(64);
  for (const [index, row] of log.entries()) {
    const what = JSON.stringify([row.seq, row.at, row.kind, row.callId, row.actor, row.text]);
    const hash = createHash("sha256").update(`${previous}\n${what}`).digest("hex");
    if (row.seq !== index + 1 || hash !== row.hash) return row.seq;
    previous = hash;
  }
  return null;
}
