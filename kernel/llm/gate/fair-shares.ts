/**
 * Who gets how much of what there is not enough of.
 *
 * Max-min fairness: nobody gets more than it wants, what one leaves goes to the others, and of what cannot be divided the least
 * served get one more. With fewer than one for each, they take turns.
 *
 * Source: Bertsekas and Gallager, "Data Networks" (1992), 6.5.2.
 */

export interface Claimant {
  wants: number;
  /** What it was served so far, in any one unit. */
  served: number;
}

/** Whole parts of `capacity`, in the order of `claimants`. */
export function fairShares(capacity: number, claimants: readonly Claimant[]): number[] {
  const level = levelOf(
    capacity,
    claimants.map(({ wants }) => wants),
  );
  const shares = claimants.map(({ wants }) => Math.min(wants, level));
  let left = capacity - shares.reduce((sum, share) => sum + share, 0);
  const order = [...claimants.entries()].toSorted(([, a], [, b]) => a.served - b.served);
  for (const [index, { wants }] of order) {
    if (left <= 0 || wants <= level) continue;
    shares[index] = level + 1;
    left -= 1;
  }
  return shares;
}

/** The highest whole level up to which all can be served. */
function levelOf(capacity: number, wants: readonly number[]): number {
  let left = capacity;
  const modestFirst = wants.toSorted((a, b) => a - b);
  for (const [position, want] of modestFirst.entries()) {
    const level = Math.floor(left / (modestFirst.length - position));
    if (want > level) return level;
    left -= want;
  }
  return modestFirst.at(-1) ?? 0;
}

export interface Taker extends Claimant {
  name: string;
  /** What each of its calls counts for in `served`. */
  costOfCall: number;
}

/**
 * Deals calls one by one to whoever was served least, as long as `fits` takes them, and answers how many `name` got. What falls
 * to the others stays for them: they are about to ask.
 */
export function turnsOf<T extends Taker>(name: string, takers: readonly T[], fits: (taker: T) => boolean): number {
  const line = takers.map((taker) => ({ taker, left: taker.wants, served: taker.served }));
  const bound = takers.reduce((sum, { wants }) => sum + wants, 0);
  let turns = 0;
  for (let turn = 0; turn < bound; turn++) {
    const hungry = line.filter(({ left }) => left > 0);
    if (hungry.length === 0) break;
    const next = hungry.reduce((least, each) => (each.served < least.served ? each : least));
    if (!fits(next.taker)) break;
    next.left -= 1;
    next.served += next.taker.costOfCall;
    if (next.taker.name === name) turns += 1;
  }
  return turns;
}
