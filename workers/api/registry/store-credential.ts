import {
  type CredentialRow,
  Credentials,
  type CredentialView,
  SET,
  valuesOf,
  viewOf,
} from "../../../durable-objects/credentials/credentials.ts";
import type { SecretBox } from "../../../durable-objects/credentials/secret-box.ts";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { newId } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { attemptOf } from "./attempt.ts";
import { type Creation, Creations } from "./creations.ts";

/** What an operator hands in. `headers` is the secret. */
export interface CredentialSpec {
  name: string;
  hosts: string[];
  /** Names in lower case. */
  headers: Record<string, string>;
}

/**
 * Stores a credential of the caller's tenant, in the place of the one of its name. The chain says so first, by fingerprint; the
 * secret itself stands in the sealed row alone, and the request is remembered by the fingerprint too.
 */
export async function storeCredential(
  c: AppContext,
  box: SecretBox,
  { spec, idempotencyKey }: { spec: CredentialSpec; idempotencyKey: string | undefined },
): Promise<Result<CredentialView>> {
  const { tenant } = c.var.principal;
  const { headers, ...shown } = spec;
  const fingerprint = box.fingerprint(tenant, JSON.stringify(Object.entries(headers).sort()));
  const attempt = attemptOf(c, { ...shown, fingerprint }, idempotencyKey);
  const stored = await new Creations(c.env.DB).once(attempt, () => prepare(c, box, { spec, fingerprint }));
  if (!stored.ok) return stored;
  return stored.value === null ? FULL : ok(stored.value);
}

async function prepare(
  c: AppContext,
  box: SecretBox,
  { spec, fingerprint }: { spec: CredentialSpec; fingerprint: string },
): Promise<Result<Creation<CredentialView>>> {
  const { principal } = c.var;
  const before = await new Credentials(c.env.DB).find(principal.tenant, spec.name);
  if (!before.ok) return before;
  const version = (before.value?.version ?? 0) + 1;
  const place = { tenant: principal.tenant, name: spec.name, version, hosts: JSON.stringify(spec.hosts) };
  const id = newId("crd", { clock: systemClock, random: systemRandom });
  const facts = { id, fingerprint, createdAt: systemClock.now(), lastUsedAt: null };
  const row: CredentialRow = { ...place, ...facts, ...box.seal(place, JSON.stringify(spec.headers)) };
  const recorded = await answer(
    coreObject(c.env, principal.tenant).record("credential.store", actorOf(principal), {
      name: spec.name,
      version: String(version),
      hosts: spec.hosts.join(" "),
      fingerprint,
    }),
  );
  if (!recorded.ok) return recorded;
  return ok({ table: "credentials", id, statement: SET, values: valuesOf(row), answer: viewOf(row) });
}

/** Gone when it answers: the next request of any process finds none. One that has begun ends within `LIMITS.webMs`. */
export async function removeCredential(c: AppContext, name: string): Promise<Result<null>> {
  const { principal } = c.var;
  const credentials = new Credentials(c.env.DB);
  const row = await credentials.find(principal.tenant, name);
  if (!row.ok) return row;
  if (row.value === null) return err("not_found", "There is no such credential.");
  const core = coreObject(c.env, principal.tenant);
  const recorded = await answer(core.record("credential.remove", actorOf(principal), { name }));
  if (!recorded.ok) return recorded;
  const removed = await credentials.remove(principal.tenant, name);
  return removed.ok ? ok(null) : removed;
}

const FULL = err("quota_exceeded", `A tenant has at most ${LIMITS.credentialsMax} credentials; remove one first.`);
