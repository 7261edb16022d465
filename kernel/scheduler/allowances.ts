import type { ErrorCode } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Allowance, type Usage } from "../llm/gate/allowance.ts";
import type { Clock } from "../ports.ts";
import { type Errand, NO_ERRAND, type RunQueue } from "./run-queue.ts";
import type { HeldSlot, Slots } from "./slots.ts";

/** Who asks right now, and so stands neither in the queue nor in a slot. */
export interface Asking {
  /** An agent whose last call has ended. */
  agentId?: string;
  /** How many agents. */
  asking?: number;
  /** What the largest of their calls counts for. */
  callTokens?: number;
}

/**
 * What the tenant may ask of each vendor account now. The slices are in memory and the calls under way in the slots, so a core
 * that forgot its slices asks for new ones and knows what it already has. Whoever finds no allowance waits in the queue; the
 * shell asks the gates (`durable-objects/core/vendor-gates.ts`).
 */
export class Allowances {
  /** The accounts that have a gate. */
  readonly gates: readonly string[];
  readonly #of = new Map<string, Allowance>();
  /** Whether calls of before this instance were looked for: later ones are seen coming. */
  #looked = false;
  readonly #clock: Clock;
  readonly #slots: Slots;
  readonly #queue: RunQueue;

  constructor(gates: readonly string[], clock: Clock, slots: Slots, queue: RunQueue) {
    this.gates = gates;
    this.#clock = clock;
    this.#slots = slots;
    this.#queue = queue;
  }

  /** The accounts that the tenant has anything to do with now. */
  active(): string[] {
    if (!this.#looked) {
      const busy = this.gates.filter((gate) => this.#slots.atGate(gate) + this.#queue.atGate(gate, 1) > 0);
      for (const gate of busy) this.at(gate);
    }
    this.#looked = true;
    return [...this.#of.keys()];
  }

  /** What the call has to pass: `gate` is empty where there is none. */
  errandOf({ provider, rateTokens }: { provider: string; rateTokens: number }): Errand {
    return this.gates.includes(provider) ? { gate: provider, tokens: rateTokens } : NO_ERRAND;
  }

  at(gate: string): Allowance {
    const known = this.#of.get(gate);
    if (known !== undefined) return known;
    const made = new Allowance(this.#slots.newestEpoch(gate));
    this.#of.set(gate, made);
    return made;
  }

  /** Whether a call may begin. `exceptAgentId`: whose own last call has ended. */
  has({ gate, tokens }: Errand, exceptAgentId = ""): boolean {
    if (gate === "") return true;
    const inUse = this.#slots.atGate(gate, exceptAgentId);
    return this.at(gate).has(inUse, tokens, this.#clock.now());
  }

  /** Whether what was promised with a pushed slot is still true. */
  stands({ gate, epoch, pushed }: HeldSlot, errand: Errand): boolean {
    if (!pushed || gate !== errand.gate) return false;
    return gate === "" || this.at(gate).stands(epoch, this.#clock.now());
  }

  /** A call begins. Answers the epoch in which it was allowed. */
  take({ gate, tokens }: Errand): number {
    return gate === "" ? 0 : this.at(gate).take(tokens, this.#clock.now());
  }

  /** The vendor's failure for which callers at `gate` wait, or null. */
  cause(gate: string): ErrorCode | null {
    return gate === "" ? null : this.at(gate).cause;
  }

  /** What the tenant does at `gate` and would do. */
  usage(gate: string, { agentId = "", asking = 0, callTokens = 0 }: Asking = {}): Usage {
    const room = Math.max(0, this.#slots.free);
    const inLine = this.#queue.atGate(gate, LIMITS.slotsPerTenant, agentId);
    const next = this.#queue.peek(gate, true);
    return {
      inUse: this.#slots.atGate(gate, agentId),
      inUseOfEpoch: this.#slots.ofEpoch(gate, this.at(gate).epoch, agentId),
      waiting: Math.min(inLine, room) + asking,
      callTokens: Math.max(next?.tokens ?? 0, callTokens),
    };
  }

  /** When `gate` is to be asked next, or null. */
  dueAt(gate: string): number | null {
    return this.at(gate).dueAt(this.usage(gate), this.#clock.now());
  }
}
