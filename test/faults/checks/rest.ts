import type { Evidence, Examined } from "./evidence.ts";

/** A kernel at rest: nobody is stuck, nothing is under way, idle objects have no alarm, and D1 shows what the core knows. */
export function checkRest({ findings }: Evidence, { agent, database }: Examined): void {
  const process = database.all("SELECT state, wait_reason, stop_reason, turn_message_id, last_error FROM process")[0];
  const ended = process?.["state"] === "terminated";
  const idle =
    agent.daemon && !agent.killed && process?.["state"] === "waiting" && process["wait_reason"] === "message";
  findings.expect("no agent is stuck", idle || ended, () => `${agent.name}: ${JSON.stringify(process)}`);
  findings.expect(
    "an agent that was killed has ended",
    !agent.killed || ended,
    () => `${agent.name}: ${JSON.stringify(process)}`,
  );
  findings.expect(
    "a daemon that nobody killed lives",
    !agent.daemon || agent.killed || !ended,
    () => `${agent.name}: ${JSON.stringify(process)}`,
  );
  const pending = database.all("SELECT name, state FROM pending");
  findings.expect(
    "nothing is pending at rest",
    pending.length === 0,
    () => `${agent.name}: ${JSON.stringify(pending)}`,
  );
}

export function checkCore(evidence: Evidence): void {
  const { findings, state } = evidence;
  const alarmed = new Set(state.alarms.map(({ object }) => object.replace(/^.*\//, "")));
  for (const id of alarmed) findings.expect("an idle agent has no alarm", false, () => id);
  findings.expect("an idle agent has no alarm", alarmed.size === 0, () => [...alarmed].join(", "));
  for (const table of ["slots", "run_queue", "signals", "segments", "quota_waiters"]) {
    const rows = state.core.all(`SELECT * FROM ${table}`);
    findings.expect("the core holds nothing for anybody", rows.length === 0, () => `${table}: ${JSON.stringify(rows)}`);
  }
}

/** D1 is a projection: agents, settled calls, segments. */
export function checkProjection({ findings, state, bill }: Evidence): void {
  const processes = new Map(
    state.core.all("SELECT id, state FROM processes WHERE erased_at IS NULL").map((row) => [row["id"], row["state"]]),
  );
  const projected = new Map(state.d1.all("SELECT id, state FROM agents").map((row) => [row["id"], row["state"]]));
  for (const [id, known] of processes) {
    findings.expect(
      "D1 shows every process",
      projected.get(id) === known,
      () => `${id}: ${known}, in D1 ${projected.get(id)}`,
    );
  }
  for (const id of projected.keys()) findings.expect("D1 shows no other process", processes.has(id), () => String(id));
  const columns = "state, prompt_tokens AS p, completion_tokens AS c, cost_nano_usd AS cost";
  const bills = new Map(
    state.d1.all(`SELECT call_id AS id, ${columns} FROM calls`).map((row) => [row["id"], JSON.stringify(row)]),
  );
  for (const row of state.core.all(
    `SELECT id, ${columns} FROM calls WHERE state <> 'open' AND settled_at < ?`,
    bill.before,
  )) {
    findings.expect(
      "D1 shows every settled call",
      bills.get(row["id"] ?? null) === JSON.stringify(row),
      () => `${JSON.stringify(row)}, in D1 ${bills.get(row["id"] ?? null)}`,
    );
  }
}

/** Cold pages: each segment that pages need is an object and a row of the catalogue; every object has its row, as have exported chains. */
export function checkSegments({ findings, state }: Evidence, agents: readonly Examined[]): void {
  const known = new Set(state.d1.all("SELECT segment FROM audit_checkpoints").map((row) => String(row["segment"])));
  const catalogue = new Set(state.d1.all("SELECT segment_id FROM segments").map((row) => String(row["segment_id"])));
  for (const { agent, database } of agents) {
    for (const row of database.all("SELECT id, key, live FROM segments")) {
      known.add(String(row["key"]));
      const needed = Number(row["live"]) > 0;
      findings.expect(
        "a needed segment is an object",
        !needed || state.objects.has(String(row["key"])),
        () => `${agent.name} ${row["key"]}`,
      );
      findings.expect(
        "a needed segment is in the catalogue",
        !needed || catalogue.has(String(row["id"])),
        () => `${agent.name} ${row["key"]}`,
      );
    }
    const lost = database.all(
      "SELECT id FROM pages WHERE content IS NULL AND (segment_id IS NULL OR segment_id NOT IN (SELECT id FROM segments))",
    );
    findings.expect(
      "a page has its content somewhere",
      lost.length === 0,
      () => `${agent.name}: ${JSON.stringify(lost)}`,
    );
  }
  for (const key of state.objects) findings.expect("an object has its row", known.has(key), () => key);
  for (const key of known) {
    if (!key.startsWith("audit/")) continue;
    findings.expect("an exported chain is an object", state.objects.has(key), () => key);
  }
}

/** Of an erased agent nothing is left but the tombstone, the ledger and the end of its chain. */
export function checkErased({ findings, state, load }: Evidence): void {
  const archived = new Set(
    state.core
      .all("SELECT json_extract(data, '$.agentId') AS id FROM log WHERE kind = 'agent.erased'")
      .map((row) => row["id"]),
  );
  for (const agent of load.agents.filter(({ erased }) => erased)) {
    findings.expect("an erased agent has no tables", !state.agents.has(agent.id), () => `${agent.name} ${agent.id}`);
    findings.expect("the end of an erased chain is kept", archived.has(agent.id), () => `${agent.name} ${agent.id}`);
    const tombstone = state.core.all("SELECT erased_at FROM processes WHERE id = ?", agent.id)[0];
    findings.expect(
      "an erased agent has a tombstone",
      tombstone?.["erased_at"] !== null,
      () => `${agent.name} ${agent.id}`,
    );
  }
  for (const database of state.emptyAgents) {
    const tables = database.all(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
    );
    findings.expect("an erased object is empty", tables.length === 0, () => JSON.stringify(tables));
  }
}

const BROKEN = /a slice broke|a sweep broke|KernelBug/;

/** What the kernel answered and wrote on stderr: crashes explain a lost connection and a 503, nothing else. */
export function checkReplies({ findings, surprises }: Evidence, stderr: string): void {
  for (const surprise of surprises) findings.expect("no reply is 5xx but 503", false, () => surprise);
  for (const line of stderr.split("\n").filter((text) => BROKEN.test(text))) {
    findings.expect("no slice and no sweep breaks", false, () => line);
  }
}
