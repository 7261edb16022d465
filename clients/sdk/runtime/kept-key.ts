import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

/** Keys that a local kernel makes for itself: once, kept in the state folder, readable by its owner only. */

const KEY_BYTES = 32;

/** 256 random bits as text. */
export function randomKey(): string {
  return randomBytes(KEY_BYTES).toString("base64url");
}

/** The key in `file`, or undefined when no kernel ever made one there. */
export function readKeptKey(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The key in `file`, made now if there is none. Call it under the state lock. */
export function ensureKeptKey(file: string, make: () => string): string {
  const key = readKeptKey(file) ?? make();
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return key;
}
