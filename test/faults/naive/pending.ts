import { PendingCalls as Durable, MODEL_CALL, type PendingCall } from "../../../kernel/process/pending.ts";

/**
 * The deliberately naive variant: a model call that is under way stands in memory only, and its result is recorded after
 * the effect, as an agent would be written by whoever does not think of a crash. `npm run test:faults -- --naive` builds the
 * Worker with this module in place of `kernel/process/pending.ts`, and the campaign has to notice.
 */
export { MODEL_CALL };

export class PendingCalls extends Durable {
  readonly #underWay = new Map<string, PendingCall>();

  override put(call: PendingCall): void {
    if (call.state === "running") this.#underWay.set(call.call_id, call);
    else super.put(call);
  }

  override get(callId: string): PendingCall | null {
    return this.#underWay.get(callId) ?? super.get(callId);
  }

  override all(): PendingCall[] {
    return [...this.#underWay.values(), ...super.all()].toSorted((a, b) => a.position - b.position);
  }

  override delete(callId: string): void {
    this.#underWay.delete(callId);
    super.delete(callId);
  }

  override clear(): void {
    this.#underWay.clear();
    super.clear();
  }
}
