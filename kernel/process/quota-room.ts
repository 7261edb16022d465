import { err, type KernelError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { BOUNDLESS, type Growth, type Room } from "../storage/room.ts";
import { passesWarning, standingOf } from "./meters.ts";
import type { ProcessStore } from "./process-store.ts";
import { limitOf, type Quotas, STORED_NAMES, type Stored, type StoredName } from "./spec.ts";

/**
 * Holds a process to its quotas of pages and files. Its own are exact, because everything is in this object's tables. Those of
 * its ancestors and its tenant are as the core counted them last: processes that write at once can pass them by what they
 * write between two reports, and the core then grants no call until there is room again.
 */

interface RoomParts {
  readonly process: ProcessStore;
  readonly log: Log;
  /** What is stored now. */
  stored(): Stored;
}

type Bound = { limit: number; subject: string };

export class QuotaRoom implements Room {
  readonly #parts: RoomParts;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  begin(): Growth {
    const bounds = this.#bounds();
    if (STORED_NAMES.every((name) => bounds[name].length === 0)) return BOUNDLESS.begin();
    const before = this.#parts.stored();
    const now = { ...before };
    return {
      take: (change) => {
        for (const name of STORED_NAMES) now[name] += change[name] ?? 0;
        const spent = STORED_NAMES.find((name) => (change[name] ?? 0) > 0 && isOver(now[name], bounds[name]));
        return spent === undefined ? null : refusal(spent, now[spent], bounds[spent]);
      },
      done: () => this.#warn(before, now),
    };
  }

  freeFileBytes(): number {
    const limits = this.#bounds().fileBytes.map(({ limit }) => limit);
    return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...limits) - this.#parts.stored().fileBytes;
  }

  #bounds(): Record<StoredName, Bound[]> {
    const row = this.#parts.process.get();
    const quotas = JSON.parse(row.quotas) as Quotas;
    const standing = standingOf(row);
    const boundsOf = (name: StoredName): Bound[] => {
      const [quota, above] = [quotas[name], standing?.room[name]];
      return [
        ...(quota === undefined ? [] : [{ limit: limitOf(name, quota).limit, subject: row.id }]),
        ...(above === undefined ? [] : [{ limit: (standing?.stored[name] ?? 0) + above.left, subject: above.subject }]),
      ];
    };
    return {
      pages: boundsOf("pages"),
      pageBytes: boundsOf("pageBytes"),
      files: boundsOf("files"),
      fileBytes: boundsOf("fileBytes"),
    };
  }

  /** Of its own quotas; the core warns of the others. */
  #warn(before: Stored, now: Stored): void {
    const { id, quotas: text } = this.#parts.process.get();
    const quotas = JSON.parse(text) as Quotas;
    for (const metric of STORED_NAMES) {
      const quota = quotas[metric];
      if (quota === undefined) continue;
      const { limit, per } = limitOf(metric, quota);
      if (!passesWarning(before[metric], now[metric], limit)) continue;
      this.#parts.log.append("quota.warning", "kernel", { subject: id, metric, limit, used: now[metric], per });
    }
  }
}

const WAY_OUT: Record<StoredName, string> = {
  pages: "forget pages",
  pageBytes: "forget pages",
  files: "delete files",
  fileBytes: "delete files or write less",
};

function isOver(amount: number, bounds: readonly Bound[]): boolean {
  return bounds.some(({ limit }) => amount > limit);
}

function refusal(name: StoredName, amount: number, bounds: readonly Bound[]): KernelError {
  const tightest = bounds.toSorted((a, b) => a.limit - b.limit)[0];
  const whose = tightest?.subject ?? "this process";
  const message = `With this, ${name} would be at least ${amount}; the quota of ${whose} leaves room for ${Math.max(0, tightest?.limit ?? 0)}: ${WAY_OUT[name]}, or have quotas.${name} raised.`;
  return err("quota_exceeded", message).error;
}
