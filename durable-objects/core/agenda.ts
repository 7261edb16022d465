import { LIMITS } from "../../kernel/limits.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Checkpointer } from "./checkpointer.ts";
import type { Outbox } from "./outbox.ts";
import type { Projection } from "./projection.ts";
import type { VendorGates } from "./vendor-gates.ts";

interface AgendaParts {
  scheduler: Scheduler;
  outbox: Outbox;
  projection: Projection;
  vendors: VendorGates;
  checkpointer: Checkpointer;
}

/** When a core has something to do next: what its one alarm, and its row in D1 for cron, are set by. */
export class Agenda {
  readonly #clock: Clock;
  readonly #parts: AgendaParts;

  constructor(clock: Clock, parts: AgendaParts) {
    this.#clock = clock;
    this.#parts = parts;
  }

  /** In milliseconds since the epoch; null for an idle core. */
  next(): number | null {
    const soon = this.#parts.projection.dirty ? this.#soon() : Number.POSITIVE_INFINITY;
    const at = Math.min(soon, this.#nextButProjecting() ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(at) ? at : null;
  }

  /** When cron has to wake the core once D1 has all that changed: also for a round of checkpoints, for which no alarm stands. */
  nextForCron(): number | null {
    const times = [this.#nextButProjecting(), this.#parts.checkpointer.dueAt()].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  #nextButProjecting(): number | null {
    const { scheduler, outbox, vendors } = this.#parts;
    const untold =
      outbox.all().length > 0 ||
      scheduler.slots.unclaimed().length > 0 ||
      scheduler.processes.unborn().length > 0 ||
      scheduler.releaseQuotaWaiters().length > 0;
    const times = [
      untold ? this.#soon() : null,
      scheduler.slots.nextExpiry(),
      scheduler.ledger.nextExpiry(),
      scheduler.nextPeriod(),
      scheduler.processes.nextSign(),
      vendors.dueAt(),
    ].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  #soon(): number {
    return this.#clock.now() + LIMITS.projectionMs;
  }
}
