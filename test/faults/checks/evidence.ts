import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { JournalEntry } from "../../support/model-server/script.ts";
import type { WireRequest } from "../../support/model-server/scripted-model.ts";
import type { ToolEntry } from "../../support/tool-server/order.ts";
import { type Place, placeOf } from "../chain-model.ts";
import type { Load, LoadedAgent } from "../load.ts";
import type { Person } from "../person.ts";
import type { ObjectDatabase, Row, StateFiles } from "../state-files.ts";
import type { Findings } from "../violation.ts";

/** What a run leaves behind for the checks: what clients were promised, what the model server saw, and what stands on disk. */
export interface Evidence {
  findings: Findings;
  load: Load;
  state: StateFiles;
  requests: ModelRequest[];
  bill: Bill;
  /** What the tool servers saw and did, by path. */
  acts: ReadonlyMap<string, readonly ToolEntry[]>;
  person: Person;
  /** Replies that no crash explains. */
  surprises: readonly string[];
}

/** What `GET /v1/costs` said, by agent, of calls that were settled before `before` (milliseconds since the epoch). */
export interface Bill {
  before: number;
  agents: Map<string, { calls: number; costNanoUsd: number }>;
}

/** One request as the model server's journal tells it. */
export interface ModelRequest {
  number: number;
  place: Place;
  promptTokens: number;
  /** The reply began to leave. */
  replied: boolean;
  fault: string | null;
}

/** One agent that lives, with its tables. */
export interface Examined {
  agent: LoadedAgent;
  database: ObjectDatabase;
  log: LogRow[];
}

export interface LogRow {
  seq: number;
  at: number;
  kind: string;
  callId: string | null;
  actor: string;
  /** As it is hashed. */
  text: string;
  data: Record<string, unknown>;
  hash: string;
}

/** Reads the journal line by line: with the prompts it may be larger than a string can be. */
export async function requestsIn(journal: string): Promise<ModelRequest[]> {
  const requests = new Map<number, ModelRequest>();
  for await (const line of createInterface({ input: createReadStream(journal) })) {
    const entry = JSON.parse(line) as JournalEntry;
    if (entry.type === "request") {
      const place = placeOf((entry.body as WireRequest).messages);
      const { request: number } = entry;
      if (place !== null) requests.set(number, { number, place, promptTokens: 0, replied: false, fault: null });
    }
    const request = requests.get(entry.request);
    if (entry.type === "reply" && request !== undefined)
      Object.assign(request, { promptTokens: entry.usage.promptTokens, replied: true, fault: entry.fault });
  }
  return [...requests.values()];
}

export function logOf(database: ObjectDatabase): LogRow[] {
  return database.all("SELECT * FROM log ORDER BY seq").map((row: Row) => ({
    seq: Number(row["seq"]),
    at: Number(row["at"]),
    kind: String(row["kind"]),
    callId: row["call_id"] === null ? null : String(row["call_id"]),
    actor: String(row["actor"]),
    text: String(row["data"]),
    data: JSON.parse(String(row["data"])) as Record<string, unknown>,
    hash: String(row["hash"]),
  }));
}

/** Agents that were acknowledged and not erased. One that has no tables is a violation of its own. */
export function examined({ load, state, findings }: Evidence): Examined[] {
  return load.agents.flatMap((agent) => {
    if (agent.erased) return [];
    const database = state.agents.get(agent.id);
    findings.expect("an acknowledged agent exists", database !== undefined, () => agent.id);
    return database === undefined ? [] : [{ agent, database, log: logOf(database) }];
  });
}
