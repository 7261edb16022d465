import { CheckpointTable } from "../../../durable-objects/d1/checkpoint-table.ts";
import { systemClock, systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { isAgentIdOf } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { type AuditKey, loadAuditKey } from "../../../kernel/log/audit-key.ts";
import { CORE_CHAIN } from "../../../kernel/log/checkpoint.ts";
import { type TrailReport, verifyTrail, type Witness } from "../../../kernel/log/verification.ts";
import type { Env } from "../../env.ts";
import { agentObject, answer, coreObject } from "../../objects.ts";
import { retainedSince } from "../../retention.ts";

/** One chain of a tenant, wherever parts of it are: its object, R2, D1, and what the tenant's core remembers. */
export class Trail {
  readonly #env: Env;
  readonly tenant: string;
  /** An agent's id, or `core`. */
  readonly object: string;
  readonly witness: Witness;

  private constructor(env: Env, { tenant, object, witness }: { tenant: string; object: string; witness: Witness }) {
    this.#env = env;
    this.tenant = tenant;
    this.object = object;
    this.witness = witness;
  }

  /** `not_found` for an agent that there never was; one that is erased has left what was exported. */
  static async of(env: Env, tenant: string, agentId: string | undefined): Promise<Result<Trail>> {
    const object = agentId ?? CORE_CHAIN;
    if (agentId !== undefined && !isAgentIdOf(tenant, agentId, systemHash))
      return err("not_found", "There is no such agent.");
    const witness = await answer(coreObject(env, tenant).witness(object));
    return witness.ok ? ok(new Trail(env, { tenant, object, witness: witness.value })) : witness;
  }

  async verify(): Promise<Result<TrailReport>> {
    const key = await auditKeyOf(this.#env);
    if (!key.ok) return key;
    const sources = {
      checkpoints: this.checkpoints(),
      segment: (name: string) => this.segment(name),
      log: (known: Parameters<ReturnType<typeof this.owner>["verify"]>[0]) =>
        answer(this.owner().verify(known), LIMITS.bulkRpcMs),
      witness: this.witness,
    };
    const since = retainedSince(this.#env, systemClock.now());
    return verifyTrail(sources, { hash: systemHash, key: key.value, expiredBefore: since ?? 0 });
  }

  checkpoints() {
    return new CheckpointTable(this.#env.DB).all(this.tenant, this.object);
  }

  async segment(key: string): Promise<string | null> {
    return (await (await this.#env.PAGES.get(key))?.text()) ?? null;
  }

  /** The object whose log it is. */
  owner() {
    const { tenant, object } = this;
    return object === CORE_CHAIN ? coreObject(this.#env, tenant) : agentObject(this.#env, tenant, object);
  }
}

/** The kernel's key, null when there is none. */
export async function auditKeyOf({ AOS_AUDIT_KEY: text }: Env): Promise<Result<AuditKey | null>> {
  if (text === undefined || text === "") return ok(null);
  const key = await loadAuditKey(text);
  return key.ok ? key : err("unavailable", `AOS_AUDIT_KEY takes ${key.error.message}.`);
}
