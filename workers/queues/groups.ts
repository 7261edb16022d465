import type { Delivery } from "./delivery.ts";

/**
 * What one consumer makes of its batch: groups of deliveries that share one model call, in an order in which vendors and
 * models take turns, so that a slow one does not hold up the others.
 */

/** Identical repeatable calls of one tenant share a group; any other call is a group of its own. */
export function groupsOf(deliveries: readonly Delivery[]): Delivery[][] {
  const groups = Map.groupBy(deliveries, ({ message, call }) =>
    call.repeatable ? `${call.tenant}\0${call.model}\0${call.hash}` : message,
  );
  return inTurns([...groups.values()], (group) => group[0]?.call.model ?? "");
}

/** One of each kind after the other, until all are out; within a kind the order stays. */
function inTurns<T>(items: readonly T[], kindOf: (item: T) => string): T[] {
  const kinds = [...Map.groupBy(items, kindOf).values()];
  const longest = Math.max(0, ...kinds.map((kind) => kind.length));
  const rounds = Array.from({ length: longest }, (_, round) => kinds.map((kind) => kind[round]));
  return rounds.flat().filter((item) => item !== undefined);
}
