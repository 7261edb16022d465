import { checkEffects } from "./checks/effects.ts";
import { type Evidence, examined } from "./checks/evidence.ts";
import { checkBill, checkErasedLedger, checkLedger, checkMeters } from "./checks/ledger.ts";
import { checkLog } from "./checks/log.ts";
import { checkMessages } from "./checks/messages.ts";
import { checkOutside } from "./checks/outside.ts";
import { checkCore, checkErased, checkProjection, checkReplies, checkRest, checkSegments } from "./checks/rest.ts";
import type { Kill } from "./killer.ts";
import { type Outcome, resumesOf } from "./report.ts";

/** What the run itself knows of what it did. */
export interface CampaignFacts {
  seed: number;
  kills: readonly Kill[];
  /** Those after which nobody but the kernel woke an agent. */
  quiet: readonly Kill[];
  stderr: string;
  ms: number;
  restMs: number;
}

const BILLS = "SELECT count(*) AS n FROM calls WHERE state = 'settled' AND completion_tokens > 0";

/** All checks on what a run left behind, and its figures. */
export function examine(evidence: Evidence, { quiet, stderr, ...facts }: CampaignFacts): Omit<Outcome, "kept"> {
  const agents = examined(evidence);
  for (const one of agents) {
    checkMessages(evidence, one);
    checkLog(evidence, one);
    checkEffects(evidence, one);
    checkOutside(evidence, one);
    checkLedger(evidence, one);
    checkRest(evidence, one);
  }
  checkErasedLedger(evidence);
  checkBill(evidence);
  checkMeters(evidence);
  checkCore(evidence);
  checkProjection(evidence);
  checkSegments(evidence, agents);
  checkErased(evidence);
  checkReplies(evidence, stderr);
  return { ...facts, ...figuresOf(evidence), findings: evidence.findings, resumes: resumesOf(quiet, agents) };
}

function figuresOf({ load, state, requests, person }: Evidence) {
  const messages = load.agents.flatMap((agent) => agent.messages);
  const calls = state.core.all("SELECT state, count(*) AS n FROM calls GROUP BY 1");
  const segments = [...state.agents.values()].flatMap((database) =>
    database.all("SELECT id FROM segments WHERE live > 0"),
  );
  return {
    agents: load.agents.length,
    erased: load.agents.filter(({ erased }) => erased).length,
    messages: messages.filter(({ messageId }) => messageId !== null).length,
    requests: requests.length,
    replied: requests.filter(({ replied }) => replied).length,
    bills: Number(state.core.all(BILLS)[0]?.["n"]),
    calls: Object.fromEntries(calls.map((row) => [String(row["state"]), Number(row["n"])])),
    crashLoops: person.continued,
    pages: load.pages.flatMap(({ pageIds }) => pageIds ?? []).length,
    segments: segments.length,
    lost: [...state.agents.values()].reduce((sum, database) => sum + lostIn(database), 0),
  };
}

function lostIn(database: Evidence["state"]["core"]): number {
  return database.all("SELECT seq FROM log WHERE kind = 'call.end' AND json_extract(data, '$.code') = 'lost'").length;
}
