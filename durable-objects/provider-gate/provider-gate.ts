import { DurableObject } from "cloudflare:workers";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { isAccount, limitsOf } from "../../kernel/llm/gate/account-limits.ts";
import { Gate } from "../../kernel/llm/gate/gate.ts";
import { coreHolder, type GateView, type LeaseReply, type LeaseRequest } from "../../kernel/llm/gate/lease.ts";
import { within } from "../deadline.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { migrate } from "../migrations.ts";
import { sqlOf, systemClock, systemRandom } from "../ports.ts";
import { coreVendors } from "../stubs.ts";
import { GATE_MIGRATIONS } from "./migrations.ts";
import type { GateRpc } from "./rpc.ts";

/**
 * The gate of one vendor account, named after its provider: the stateful shell around `kernel/llm/gate`. All tenants share the
 * operator's key, so one object counts for all of them. It has no alarm: slices end by themselves, and whoever waits asks.
 */
export class ProviderGate extends DurableObject<ObjectEnv> implements GateRpc {
  readonly #sql = sqlOf(this.ctx.storage);
  #gate: Gate | null = null;

  async lease(request: LeaseRequest): Promise<Result<LeaseReply>> {
    return this.#with((gate) => {
      const { reply, moved } = this.#sql.transaction(() => gate.lease(request));
      if (moved) this.#tell(gate, request.holder);
      return reply;
    });
  }

  async view(): Promise<Result<GateView>> {
    return this.#with((gate) => gate.view());
  }

  /** The other cores hold slices that are not true any more. Holders that are no core are not reached: theirs end in a moment. */
  #tell(gate: Gate, exceptHolder: string): void {
    const { pausedMs, lastError } = gate.view();
    const cause = pausedMs > 0 ? (lastError?.code ?? null) : null;
    for (const tenant of gate.tenants().filter((name) => coreHolder(name) !== exceptHolder)) {
      const heard = coreVendors(this.env, tenant).vendorMoved(this.#name, cause, pausedMs);
      this.ctx.waitUntil(within(LIMITS.gateRpcMs, "vendorMoved", heard));
    }
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  #with<T>(work: (gate: Gate) => T): Result<T> {
    const name = this.#name;
    if (!isAccount(name)) return err("not_found", "there is no such vendor account");
    if (this.#gate === null) {
      const laid = migrate(this.#sql, GATE_MIGRATIONS, systemClock.now());
      if (!laid.ok) return laid;
      const ports = { sql: this.#sql, clock: systemClock, random: systemRandom };
      this.#gate = new Gate(ports, limitsOf(name, variablesOf(this.env)));
    }
    return ok(work(this.#gate));
  }
}
