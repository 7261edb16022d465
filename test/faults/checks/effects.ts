import { createHash } from "node:crypto";
import { type Chain, contentOf, fileOf, noteOf } from "../chain.ts";
import type { Evidence, Examined, LogRow } from "./evidence.ts";

/** What tools did: each write and each note once, with the right content; each call recorded once. */
export function checkEffects({ findings }: Evidence, { agent, database, log }: Examined): void {
  const files = new Map(database.all("SELECT path, version, sha256 FROM files").map((row) => [row["path"], row]));
  const notes = new Map(
    database
      .all("SELECT sha256, count(*) AS n FROM pages WHERE kind = 'note' GROUP BY 1")
      .map((row) => [String(row["sha256"]), Number(row["n"])]),
  );
  const states = new Map(
    database.all("SELECT content, state FROM mailbox").map((row) => [String(row["content"]), String(row["state"])]),
  );
  for (const chain of [agent.goal, ...agent.messages.map((message) => message.chain)]) {
    const answered = states.get(contentOf(chain)) === "answered";
    for (const [index, step] of chain.steps.entries()) {
      if (step.file) {
        const { path, content } = fileOf(chain, index);
        const file = files.get(path);
        const right = file?.["version"] === 1 && file["sha256"] === sha256(content);
        findings.expect(
          "a keyed write happens once",
          right || (!answered && file === undefined),
          () => `${path}: ${JSON.stringify(file)}`,
        );
      }
      if (step.note) {
        const count = notes.get(sha256(noteOf(chain, index))) ?? 0;
        findings.expect(
          "a note is made once",
          count === 1 || (!answered && count === 0),
          () => `${chain.id}/${index}: ${count} notes`,
        );
      }
    }
  }
  checkCalls(findings, agent.name, log);
  checkSteps(
    findings,
    agent.name,
    [agent.goal, ...agent.messages.map((message) => message.chain)],
    states,
    database,
    log,
  );
}

function checkCalls(findings: Evidence["findings"], name: string, log: readonly LogRow[]): void {
  const ends = Map.groupBy(
    log.filter(({ kind }) => kind === "call.end"),
    ({ callId }) => callId,
  );
  for (const [callId, rows] of ends) {
    findings.expect(
      "a call is recorded once",
      rows.filter(({ data }) => data["late"] !== true).length === 1 && rows.length <= 2,
      () => `${name} ${callId}: ${JSON.stringify(rows.map(({ data }) => data))}`,
    );
    const [first] = rows;
    if (first?.data["name"] === "llm.complete") continue;
    findings.expect(
      "a tool call succeeds",
      first?.data["ok"] === true || first?.data["code"] === "outcome_unknown",
      () => `${name} ${callId}: ${JSON.stringify(first?.data)}`,
    );
  }
}

/** An answered message took each of its steps exactly once. */
function checkSteps(
  findings: Evidence["findings"],
  name: string,
  chains: readonly Chain[],
  states: ReadonlyMap<string, string>,
  database: Examined["database"],
  log: readonly LogRow[],
): void {
  const messageOf = new Map(
    log.flatMap(({ callId, kind, data }) => (kind === "call.start" ? [[callId, data["messageId"]]] : [])),
  );
  const done = log.filter(
    ({ kind, data }) => kind === "call.end" && data["name"] === "llm.complete" && data["ok"] === true,
  );
  const steps = Map.groupBy(done, ({ callId }) => messageOf.get(callId));
  for (const chain of chains) {
    if (states.get(contentOf(chain)) !== "answered") continue;
    const id = database.all("SELECT id FROM mailbox WHERE content = ?", contentOf(chain))[0]?.["id"];
    const taken = steps.get(id)?.length ?? 0;
    findings.expect(
      "a step is taken once",
      taken === chain.steps.length,
      () => `${name} ${chain.id}: ${taken} of ${chain.steps.length}`,
    );
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
