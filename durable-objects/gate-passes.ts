import { LIMITS } from "../kernel/limits.ts";
import { type Account, isAccount } from "../kernel/llm/gate/account-limits.ts";
import type { Gateway, Pass, PassWish } from "../kernel/llm/gate/pass.ts";
import type { ObjectEnv } from "./env.ts";
import { GateDesk } from "./gate-desk.ts";

/** What runs in this isolate has no gate. */
const FREE: Pass = { careful: false, end: async () => {} };

/**
 * The way of a consumer of the calls queue, of an isolate that answers for keys, or of a batch job through the gates of vendor
 * accounts: it holds a slice for each tenant and account that it works for, so that the gate is fair between tenants here too.
 */
export class GatePasses implements Gateway {
  readonly #env: ObjectEnv;
  readonly #holder: string;
  readonly #desks = new Map<string, GateDesk>();
  /** Accounts whose last call failed. */
  readonly #failing = new Set<Account>();

  /** `kind` says in the gate's books who holds the slices. */
  constructor(env: ObjectEnv, kind: "batch" | "front" | "job") {
    this.#env = env;
    this.#holder = `${kind}/${crypto.randomUUID()}`;
  }

  async enter({ tenant, model, tokens = 0 }: PassWish, waitMs: number) {
    const provider = model.slice(0, model.indexOf("/"));
    return isAccount(provider)
      ? this.#desk(tenant, provider).enter(tokens, waitMs)
      : { ok: true as const, value: FREE };
  }

  #desk(tenant: string, provider: Account): GateDesk {
    const name = `${tenant}/${provider}`;
    const known = this.#desks.get(name);
    if (known !== undefined) return known;
    if (this.#desks.size >= LIMITS.gateDesks) this.#clear();
    const names = { tenant, provider, holder: `${this.#holder}/${tenant}` };
    const desk = new GateDesk(this.#env, names, this.#failing);
    this.#desks.set(name, desk);
    return desk;
  }

  #clear(): void {
    for (const [name, desk] of this.#desks) if (desk.isIdle) this.#desks.delete(name);
  }
}
