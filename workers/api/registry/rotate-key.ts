import { systemClock } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { withinScopes } from "../scopes.ts";
import type { Attempt } from "./attempt.ts";
import { type Creation, Creations } from "./creations.ts";
import { type IssuedKey, Keys, successorOf } from "./keys.ts";
import { untilForgotten } from "./revoke-key.ts";

/**
 * Makes a key that does what the old one does, and lets the old one expire after `overlapMs`: both in one transaction, so
 * there is never none and never a third. It answers when the old key cannot outlive the overlap in any isolate: one that read
 * the key before trusts the expiry of then, for `LIMITS.keyCacheMs`.
 */
export async function rotateKey(
  c: AppContext,
  id: string,
  { overlapMs, attempt }: { overlapMs: number; attempt: Attempt },
): Promise<Result<IssuedKey>> {
  const issued = await new Creations(c.env.DB).once(attempt, () => prepare(c, id, overlapMs));
  if (!issued.ok) return issued;
  if (issued.value === null) return NOT_GOOD;
  if (overlapMs < LIMITS.keyRevocationMs) await untilForgotten();
  return ok(issued.value);
}

async function prepare(c: AppContext, id: string, overlapMs: number): Promise<Result<Creation<IssuedKey>>> {
  const { principal } = c.var;
  const key = await new Keys(c.env.DB).get(id, principal.role === "bootstrap" ? null : principal.tenant);
  if (!key.ok) return key;
  if (!withinScopes(key.value.scopes, principal.scopes)) return WIDER;
  if (key.value.replacedBy !== null || key.value.revokedAt !== null) return NOT_GOOD;
  const creation = successorOf(key.value, systemClock.now() + overlapMs);
  const facts = { keyId: id, successor: creation.id, overlapSeconds: String(overlapMs / 1_000) };
  const core = coreObject(c.env, key.value.tenantId);
  const recorded = await answer(core.record("key.rotate", actorOf(principal), facts));
  return recorded.ok ? ok(creation) : recorded;
}

const NOT_GOOD = err("conflict", "This key was rotated or revoked, or has expired; make a new one.");
const WIDER = err("forbidden", "This key may do more than the one that asks; nobody hands out more than they have.");
