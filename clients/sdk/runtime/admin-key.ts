import { join } from "node:path";
import { ensureKeptKey, randomKey, readKeptKey } from "./kept-key.ts";

/** The bootstrap key of a local kernel. */

export function adminKeyFile(stateDir: string): string {
  return join(stateDir, "admin-key");
}

/** The key in the state folder, or undefined when no kernel ever started there. */
export function readAdminKey(stateDir: string): string | undefined {
  return readKeptKey(adminKeyFile(stateDir));
}

/** The key in the state folder, made now if there is none. Call it under the state lock. */
export function ensureAdminKey(stateDir: string): string {
  return ensureKeptKey(adminKeyFile(stateDir), () => `aos_${randomKey()}`);
}
