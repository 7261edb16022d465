import type { Result } from "../../../errors.ts";
import { LIMITS } from "../../../limits.ts";
import type { CallMessage } from "../../../process/call-message.ts";
import type { ChatOutcome } from "../../provider.ts";
import { type ChatRest, hidden, pauseMs } from "../driver.ts";
import type { DriverChoice } from "../drivers.ts";
import { EconomyDesk } from "./economy-desk.ts";
import type { EconomyParts } from "./economy-parts.ts";
import type { CallRow } from "./economy-tables.ts";

/**
 * The work of an economy pool: gather calls of one model for some seconds, claim them from their agents, give them to the
 * vendor's Batch API as one lot, and tell each agent its outcome. Every step begins from the tables and may be the last of
 * this life. Only the object's alarm runs it, so there is never more than one.
 *
 * A call is claimed when its request stands here, and a claim whose answer was lost is repeated: until then nothing was
 * sent. An outcome is kept until its agent has taken it, or says that nobody waits; the agent counts it once.
 */

type VendorChoice = Extract<DriverChoice, { kind: "vendor" }>;

/** The agent's refusals that asking again would not change. */
const FINAL: ReadonlySet<string> = new Set(["conflict", "not_found"]);
const ENCODER = new TextEncoder();

export class EconomyWork {
  readonly #parts: EconomyParts;

  constructor(parts: EconomyParts) {
    this.#parts = parts;
  }

  /** Takes a call in, once. False = the pool is full. */
  take(message: CallMessage): boolean {
    const { tables, clock } = this.#parts;
    if (tables.size() >= LIMITS.economyCalls) return false;
    tables.put(message, clock.now(), clock.now() + LIMITS.economyGatherMs);
    return true;
  }

  /** When something is due, in milliseconds since the epoch; null = never. */
  dueAt(): number | null {
    return this.#parts.tables.nextDue();
  }

  /** Works until nothing is due. Answers when something will be. */
  async run(): Promise<number | null> {
    const { clock, tables } = this.#parts;
    const end = clock.now() + LIMITS.batchSliceMs;
    for (let round = 0; round < LIMITS.batchRounds && clock.now() < end; round++) {
      await this.#claimAll();
      this.#fill();
      for (const { lot, due_at: due } of tables.liveLots()) if (due <= clock.now()) await this.#advance(lot);
      await this.#tellAll();
      tables.forgetLots();
      const due = this.dueAt();
      if (due === null || due > clock.now()) return due;
    }
    return clock.now();
  }

  async #claimAll(): Promise<void> {
    const { tables, clock } = this.#parts;
    const now = clock.now();
    if ((tables.nextClaim() ?? now + 1) > now) return;
    for (let after = -1; ; ) {
      const rows = tables.toClaim(after, now, LIMITS.economyPeers);
      await Promise.all(rows.map((row) => this.#claim(row)));
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.position;
    }
  }

  async #claim(row: CallRow): Promise<void> {
    const claimed = await this.#parts.callers.claim(messageOf(row));
    if (claimed?.ok !== true) return this.#unanswered(row, claimed);
    const { request } = claimed.value;
    this.#parts.tables.claim(row.position, request, ENCODER.encode(JSON.stringify(request)).length);
  }

  /** Gives what no lot has to new lots, or back when the vendor has no Batch API. */
  #fill(): void {
    const { tables, tx } = this.#parts;
    tx.run(() => {
      for (let rows = this.#loose(); rows.length > 0; rows = this.#loose()) {
        const choice = this.#choice();
        if (choice === null) return tables.decline(null);
        this.#open(choice, rows);
      }
    });
  }

  #loose(): CallRow[] {
    return this.#parts.tables.loose(LIMITS.batchMoneyRows);
  }

  #open({ driver, provider }: VendorChoice, rows: readonly CallRow[]): void {
    const { tables, clock, model } = this.#parts;
    const { lot } = tables.openLot(provider, model, "vendor");
    for (const { position, bytes } of rows.slice(0, driver.limits.requests)) {
      const { requests, bytes: before } = tables.lot(lot);
      if (requests > 0 && before + bytes > driver.limits.bytes) break;
      tables.assign(position, lot);
      tables.growLot(lot, 1, bytes);
    }
    tables.changeLot(lot, { state: "ready", due_at: clock.now() });
  }

  async #advance(lot: number): Promise<void> {
    const { tables, tx, clock } = this.#parts;
    const choice = this.#choice();
    if (choice === null) return tables.changeLot(lot, { due_at: clock.now() + LIMITS.batchQuotaMs });
    const desk = new EconomyDesk(this.#parts, lot);
    if (desk.isOverdue()) return this.#close(desk, hidden("The vendor did not finish in time."));
    const progress = await choice.driver.advance(desk);
    if (progress.kind === "wait") return tables.changeLot(lot, { due_at: clock.now() + progress.ms });
    if (progress.kind === "ended") return this.#close(desk, progress.rest);
    tx.run(() => {
      tables.decline(lot);
      desk.change({ state: "ended" });
    });
  }

  /** Calls of the lot without an outcome get `rest`; then it is over. */
  #close(desk: EconomyDesk, rest: ChatRest): void {
    this.#parts.tx.run(() => {
      for (;;) {
        const left = desk.requests("reserved", -1, LIMITS.batchMoneyRows);
        if (left.length === 0) break;
        desk.record(left.map(({ position }) => ({ position, outcome: rest })));
      }
      desk.change({ state: "ended" });
    });
  }

  async #tellAll(): Promise<void> {
    const { tables, clock } = this.#parts;
    for (;;) {
      const rows = tables.toTell(clock.now(), LIMITS.economyPeers);
      if (rows.length === 0) return;
      await Promise.all(rows.map((row) => this.#tell(row)));
    }
  }

  async #tell(row: CallRow): Promise<void> {
    const { callers, tables } = this.#parts;
    const message = messageOf(row);
    const told =
      row.outcome === null
        ? await callers.decline(message)
        : await callers.deliver(message, JSON.parse(row.outcome) as ChatOutcome);
    if (told?.ok === true) tables.remove(row.position);
    else this.#unanswered(row, told);
  }

  /** The agent wants no more of it, or is asked again: as long as its call, or a bill of it, is waited for. */
  #unanswered(row: CallRow, answer: Result<unknown> | null): void {
    const { tables, clock } = this.#parts;
    const isFinal = answer?.ok === false && FINAL.has(answer.error.code);
    if (isFinal || clock.now() >= row.asked_at + LIMITS.economyCallMs + LIMITS.strayMs)
      return tables.remove(row.position);
    tables.later(row.position, clock.now() + pauseMs(row.failures, LIMITS.backoffBaseMs, LIMITS.batchPollMaxMs));
  }

  #choice(): VendorChoice | null {
    const { drivers, model } = this.#parts;
    const choice = drivers.of(model, []);
    return choice.ok && choice.value.kind === "vendor" ? choice.value : null;
  }
}

function messageOf({ message }: CallRow): CallMessage {
  return JSON.parse(message) as CallMessage;
}
