import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The local state of a kernel that has stopped: every object's SQLite as the platform keeps it. */

export type Row = Record<string, string | number | null>;

export class ObjectDatabase {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
  }

  all(sql: string, ...parameters: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...parameters) as Row[];
  }

  has(table: string): boolean {
    return this.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", table).length > 0;
  }

  close(): void {
    this.#database.close();
  }
}

export class StateFiles {
  readonly agents = new Map<string, ObjectDatabase>();
  /** Objects of agents that hold no process: never born, or erased. */
  readonly emptyAgents: ObjectDatabase[] = [];
  readonly core: ObjectDatabase;
  readonly d1: ObjectDatabase;
  /** Keys of all objects in R2. */
  readonly objects: Set<string>;
  /** Agent objects that have an alarm. */
  readonly alarms: { object: string; at: number }[];
  readonly #open: ObjectDatabase[] = [];

  constructor(state: string) {
    for (const database of this.#databases(join(state, "do/agent-os-kernel-AgentProcess"))) {
      const id = database.has("process") ? database.all("SELECT id FROM process")[0]?.["id"] : undefined;
      if (typeof id === "string") this.agents.set(id, database);
      else this.emptyAgents.push(database);
    }
    const cores = this.#databases(join(state, "do/agent-os-kernel-KernelCore"));
    const core = cores.find((database) => database.has("processes"));
    const d1 = this.#databases(join(state, "d1/miniflare-D1DatabaseObject")).find((database) => database.has("agents"));
    if (core === undefined || d1 === undefined) throw new Error(`no core and no D1 in ${state}`);
    this.core = core;
    this.d1 = d1;
    const buckets = this.#databases(join(state, "r2/miniflare-R2BucketObject"));
    this.objects = new Set(
      buckets
        .filter((database) => database.has("_mf_objects"))
        .flatMap((database) => database.all("SELECT key FROM _mf_objects").map((row) => String(row["key"]))),
    );
    this.alarms = this.#alarmsOf(join(state, "do/agent-os-kernel-AgentProcess/metadata.sqlite"));
  }

  close(): void {
    for (const database of this.#open) database.close();
  }

  #databases(folder: string): ObjectDatabase[] {
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith(".sqlite") && !file.startsWith("metadata"));
    return files.map((file) => this.#keep(new ObjectDatabase(join(folder, file))));
  }

  #alarmsOf(path: string): { object: string; at: number }[] {
    const database = this.#keep(new ObjectDatabase(path));
    const rows = database.all(
      "SELECT actor_name AS name, actor_id AS id, scheduled_time / 1000000 AS at FROM _cf_ALARM",
    );
    return rows.map((row) => ({ object: String(row["name"] ?? row["id"]), at: Number(row["at"]) }));
  }

  #keep(database: ObjectDatabase): ObjectDatabase {
    this.#open.push(database);
    return database;
  }
}
