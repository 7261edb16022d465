import { err, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../kernel/log/log.ts";
import type { Birth } from "../../kernel/process/birth.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { agentOrders } from "../stubs.ts";
import type { Checkpointer } from "./checkpointer.ts";
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
  readonly #checkpointer: Checkpointer;
  /** Births under way: an order must not overtake the one that it concerns. */
  readonly #births = new Map<string, Promise<unknown>>();

  constructor(parts: {
    env: ObjectEnv;
    tenant: string;
    tx: Transactions;
    log: Log;
    outbox: Outbox;
    scheduler: Scheduler;
    checkpointer: Checkpointer;
  }) {
    this.#env = parts.env;
    this.#tenant = parts.tenant;
    this.#tx = parts.tx;
    this.#log = parts.log;
    this.#outbox = parts.outbox;
    this.#scheduler = parts.scheduler;
    this.#checkpointer = parts.checkpointer;
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
    const birthing = within(LIMITS.rpcMs, "create", this.agent(birth.id).create(birth));
    this.#births.set(birth.id, birthing);
    const born = await birthing.finally(() => this.#births.delete(birth.id));
    return born?.ok === true ? born.value : null;
  }

  /** Lets those begin whose object has not reported yet. */
  async bearAll(): Promise<void> {
    for (const { id, spec } of this.#scheduler.processes.unborn()) {
      // It may have been erased, or have reported, while the one before it was born.
      if (this.#scheduler.processes.isUnborn(id)) await this.bear(JSON.parse(spec ?? "null") as Birth);
    }
  }

  /** Asks those that should have given a sign whether they go on, and notes what they answer. */
  async reviveAll(): Promise<void> {
    await Promise.all(this.#scheduler.silent().map((agentId) => this.#revive(agentId)));
  }

  /** Tells whoever waits for a call of the batch lane that the queue began anew. */
  async queueLost(beganAt: number): Promise<void> {
    const tell = (id: string) => within(LIMITS.rpcMs, "queueLost", this.agent(id).queueLost(beganAt));
    let agents = this.#scheduler.processes.inBatchLane("");
    while (agents.length > 0) {
      await Promise.all(agents.map(tell));
      agents = this.#scheduler.processes.inBatchLane(agents.at(-1) ?? "");
    }
  }

  async #revive(agentId: string): Promise<void> {
    const sign = await within(LIMITS.rpcMs, "revive", this.agent(agentId).revive());
    const gone = sign?.ok === false && sign.error.code === "not_found";
    // Who does not answer is asked again.
    this.#tx.run(() => this.#scheduler.awaitSign(agentId, sign?.ok === true ? sign.value.dueInMs : gone ? null : 0));
  }

  /** Gives all orders that stand in the outbox. */
  async deliver(): Promise<void> {
    for (const { agentId, order } of this.#outbox.all()) await this.carryOut(agentId, order);
  }

  /** Gives one order; it stays in the outbox until the agent has answered. False when the agent did not hear it. */
  async carryOut(agentId: string, order: Order): Promise<boolean> {
    const heard = await within(LIMITS.rpcMs, order, this.#give(agentId, order));
    if (heard === null) return false;
    if (!heard.ok && heard.error.code === "schema_failed") return false;
    if (!heard.ok && heard.error.code === "unavailable") return true;
    // Whoever is not born yet hears nothing: the order waits for it.
    if (!heard.ok && this.#scheduler.processes.isUnborn(agentId)) return true;
    this.#tx.run(() => this.#heard(agentId, order, heard));
    return true;
  }

  #heard(agentId: string, order: Order, heard: Result<object | null>): void {
    if (order === "ERASE" && heard.ok) {
      if (!this.#outbox.follow(agentId, "ERASE", "WIPE")) return;
      const { entries, head } = heard.value as { entries: number; head: string };
      this.#log.append("agent.archived", "kernel", { agentId, entries, head });
      this.#checkpointer.intend(agentId, { seq: entries, hash: head });
    } else if (this.#outbox.done(agentId, order) && order === "WIPE") {
      this.#log.append("agent.erased", "kernel", { agentId });
    }
  }

  /** What is erased cannot be exported any more: the rest of its chain goes first. */
  async #wipe(agentId: string): Promise<Result<null>> {
    if (!(await this.#checkpointer.seal(agentId))) return err("unavailable", "its chain is not exported yet");
    return await this.agent(agentId).wipe();
  }

  async #give(agentId: string, order: Order): Promise<Result<object | null>> {
    await this.#births.get(agentId);
    const agent = this.agent(agentId);
    if (order === "ERASE") return await agent.close("kernel");
    if (order === "WIPE") return await this.#wipe(agentId);
    return await agent.signal(order, "kernel");
  }
}
