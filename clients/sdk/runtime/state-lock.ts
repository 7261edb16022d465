import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RuntimeError } from "./runtime-error.ts";

/**
 * One runtime a state folder. Two workerd on one folder both run and answer random errors, so the lock must be certain.
 *
 * It is SQLite's write lock on a file of its own: the system takes it back when its holder dies in any way, so there is
 * no stale lock to recognize and no race in taking one over. Nobody may open that file otherwise: closing it would drop
 * the lock of this process. The holder's pid stands beside it, for the message only.
 */
export class StateLock {
  readonly #database: DatabaseSync;
  readonly #holderFile: string;

  private constructor(database: DatabaseSync, holderFile: string) {
    this.#database = database;
    this.#holderFile = holderFile;
  }

  /** Makes the folder (mode 0700) when it is absent. Throws `state_locked` naming the holder. */
  static acquire(stateDir: string): StateLock {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const holderFile = join(stateDir, "holder-pid");
    const database = new DatabaseSync(join(stateDir, "lock"));
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      throw new RuntimeError("state_locked", lockedBy(stateDir, holderFile), { cause: error });
    }
    writeFileSync(holderFile, String(process.pid));
    return new StateLock(database, holderFile);
  }

  release(): void {
    rmSync(this.#holderFile, { force: true });
    this.#database.close();
  }
}

function lockedBy(stateDir: string, holderFile: string): string {
  const holder = readHolder(holderFile);
  return `${stateDir} is in use by ${holder}; stop that kernel, or set AOS_STATE to another folder`;
}

function readHolder(holderFile: string): string {
  try {
    return `process ${readFileSync(holderFile, "utf8")}`;
  } catch {
    return "a kernel that is starting or stopping";
  }
}
