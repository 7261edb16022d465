import type { Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../kernel/log/log.ts";
import type { Birth } from "../../kernel/process/birth.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { agentOrders } from "../stubs.ts";
import type { Order, Outbox } from "./outbox.ts";

/**
 * Tells agents what the core has decided about them: always after the commit, and again until it was heard. Whoever cannot be
 * told now is told by the sweep.
 */
export class Herald {
  readonly #env: ObjectEnv;
  readonly #tenant: string;
  readonly #tx: Transactions;
  readonly #log: Log;
  readonly #outbox: Outbox;
  readonly #scheduler: Scheduler;

  constructor(parts: {
    env: ObjectEnv;
    tenant: string;
    tx: Transactions;
    log: Log;
    outbox: Outbox;
    scheduler: Scheduler;
  }) {
    this.#env = parts.env;
    this.#tenant = parts.tenant;
    this.#tx = parts.tx;
    this.#log = parts.log;
    this.#outbox = parts.outbox;
    this.#scheduler = parts.scheduler;
  }

  agent(agentId: string) {
    return agentOrders(this.#env, this.#tenant, agentId);
  }

  /** There is a slot, or room in a budget, for each of them. An agent that does not hear it asks by itself later. */
  tellToRun(agentIds: readonly string[]): Promise<unknown>[] {
    return agentIds.map((agentId) => within(LIMITS.rpcMs, "run", this.agent(agentId).run()));
  }

  /** Lets the agent's object begin. Null = it did not answer in time; the sweep tries again. */
  async bear(birth: Birth): Promise<ControlBlock | null> {
    const born = await within(LIMITS.rpcMs, "create", this.agent(birth.id).create(birth));
    return born?.ok === true ? born.value : null;
  }

  /** Gives all orders that stand in the outbox. */
  async deliver(): Promise<void> {
    for (const { agentId, order } of this.#outbox.all()) await this.carryOut(agentId, order);
  }

  /** Gives one order; it stays in the outbox until the agent has answered. */
  async carryOut(agentId: string, order: Order): Promise<void> {
    const heard = await within(LIMITS.rpcMs, order, this.#give(agentId, order));
    if (heard === null || (!heard.ok && heard.error.code === "unavailable")) return;
    // Whoever is not born yet hears nothing: the order waits for it.
    if (!heard.ok && this.#scheduler.processes.isUnborn(agentId)) return;
    this.#tx.run(() => {
      if (!this.#outbox.done(agentId, order) || order !== "ERASE" || !heard.ok) return;
      this.#log.append("agent.erased", "kernel", { agentId, ...heard.value });
    });
  }

  async #give(agentId: string, order: Order): Promise<Result<object>> {
    if (order === "ERASE") return await this.agent(agentId).erase("kernel");
    return await this.agent(agentId).signal(order, "kernel");
  }
}
