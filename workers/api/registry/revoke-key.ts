import { ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { Keys } from "./keys.ts";

/**
 * Revokes a key that the caller administers, and answers when no isolate can trust it any more. The waiting is done anew
 * for a key that was revoked before: whoever repeats the request may have lost the reply to the first.
 */
export async function revokeKey(c: AppContext, id: string): Promise<Result<null>> {
  const { principal } = c.var;
  const keys = new Keys(c.env.DB);
  const key = await keys.get(id, principal.role === "bootstrap" ? null : principal.tenant);
  if (!key.ok) return key;
  if (key.value.revokedAt === null) {
    const core = coreObject(c.env, key.value.tenantId);
    const recorded = await answer(core.record("key.revoke", actorOf(principal), { keyId: id }));
    if (!recorded.ok) return recorded;
    const revoked = await keys.revoke(id);
    if (!revoked.ok) return revoked;
  }
  await untilForgotten();
  return ok(null);
}

/** So long may an isolate trust what it read of a key before. */
export async function untilForgotten(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LIMITS.keyRevocationMs));
}
