import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { AGENT_MIGRATIONS } from "../../../durable-objects/agent/migrations.ts";
import { R2ObjectStore } from "../../../durable-objects/agent/r2-object-store.ts";
import { migrate } from "../../../durable-objects/migrations.ts";
import { type ContextConfig, ContextManager } from "../../../kernel/context/context-manager.ts";
import type { ObjectStore, Sql } from "../../../kernel/ports.ts";
import { nodeHash, objectSql, SeededRandom, TestClock } from "../../support/ports.ts";

/** A context over the SQLite of a fresh Durable Object and a real bucket. */
export interface Rig {
  context: ContextManager;
  sql: Sql;
  objects: ObjectStore;
  owner: string;
  notes: { kind: string; data: Record<string, unknown> }[];
  /** Another manager over the same tables, as after an eviction. */
  again(change?: Partial<ContextConfig>, objects?: ObjectStore): ContextManager;
}

export const WINDOW: Omit<ContextConfig, "owner"> = {
  windowTokens: 8_000,
  pageTokens: 512,
  replacement: "lru",
  maxOutputTokens: 1_000,
};

type Bindings = { AGENTS: DurableObjectNamespace; PAGES: R2Bucket };

let objectsMade = 0;

export async function withContext(
  work: (rig: Rig) => Promise<void> | void,
  change: Partial<ContextConfig> = {},
): Promise<void> {
  const { AGENTS, PAGES } = env as unknown as Bindings;
  const name = `context-${objectsMade++}`;
  await runInDurableObject(AGENTS.get(AGENTS.idFromName(name)), async (_object, state) => {
    const sql = objectSql(state.storage);
    migrate(sql, AGENT_MIGRATIONS, 0);
    const owner = `tenant/${name}`;
    const store = new R2ObjectStore(PAGES);
    const notes: Rig["notes"] = [];
    const random = new SeededRandom(objectsMade);
    const again: Rig["again"] = (more = {}, objects = store) =>
      new ContextManager(
        { sql, objects, clock: new TestClock(), hash: nodeHash, random },
        { ...WINDOW, owner, ...change, ...more },
        (kind, data) => notes.push({ kind, data }),
      );
    await work({ context: again(), sql, objects: store, owner, notes, again });
  });
}

/** `count` sentences, each of which says a different thing. */
export function prose(count: number, topic = "harbour"): string {
  return Array.from(
    { length: count },
    (_, i) => `The ${topic} keeper wrote entry number ${i} into the ledger of ships. `,
  ).join("");
}
