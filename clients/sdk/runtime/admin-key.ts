import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The bootstrap key of a local kernel: made once, kept in the state folder, readable by its owner only. */

const KEY_BYTES = 32;

export function adminKeyFile(stateDir: string): string {
  return join(stateDir, "admin-key");
}

/** The key in the state folder, or undefined when no kernel ever started there. */
export function readAdminKey(stateDir: string): string | undefined {
  try {
    return readFileSync(adminKeyFile(stateDir), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The key in the state folder, made now if there is none. Call it under the state lock. */
export function ensureAdminKey(stateDir: string): string {
  const key = readAdminKey(stateDir) ?? `aos_${randomBytes(KEY_BYTES).toString("base64url")}`;
  writeFileSync(adminKeyFile(stateDir), `${key}\n`, { mode: 0o600 });
  chmodSync(adminKeyFile(stateDir), 0o600);
  return key;
}
