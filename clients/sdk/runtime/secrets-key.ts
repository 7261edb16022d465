import { join } from "node:path";
import { ensureKeptKey, randomKey } from "./kept-key.ts";

/** The key that seals the credentials of a local kernel. Without it, what the state folder holds of them opens nothing. */
export function ensureSecretsKey(stateDir: string): string {
  return ensureKeptKey(join(stateDir, "secrets-key"), randomKey);
}
