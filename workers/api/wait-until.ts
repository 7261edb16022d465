import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { type AgentObject, answer } from "../objects.ts";
import { Bell } from "./bell.ts";
import { WatchSocket } from "./watch-socket.ts";

/**
 * Waiting for something that an agent will do, without keeping its object awake: subscribe to its events first, then
 * look, then look again whenever an event that matters arrives. What happens between two looks is never missed, because
 * the socket was open before the first of them.
 */

export interface Look<T> {
  value: T;
  /** Whether this is what is waited for. */
  isOver: boolean;
}

export interface Wait<T> {
  look(): Promise<Result<Look<T>>>;
  /** Kinds of log entries after which to look again. */
  wakes: readonly string[];
  timeoutMs: number;
  /** The client's: when it goes away, nobody waits any more. */
  signal: AbortSignal;
}

/** The value once the wait is over, or as it is when the time has run out. */
export async function waitUntil<T>(agent: AgentObject, wait: Wait<T>): Promise<Result<T>> {
  const deadline = Date.now() + wait.timeoutMs;
  let seen = await wait.look();
  while (seen.ok && !seen.value.isOver && Date.now() < deadline && !wait.signal.aborted) {
    seen = await watch(agent, wait, deadline);
  }
  return seen.ok ? ok(seen.value.value) : seen;
}

/** One subscription: looks at each ring, until it is over, the time is up, the client left, or the socket was lost. */
async function watch<T>(agent: AgentObject, wait: Wait<T>, deadline: number): Promise<Result<Look<T>>> {
  const bell = new Bell();
  const ring = () => bell.ring();
  wait.signal.addEventListener("abort", ring);
  const socket = await subscribe(agent, wait.wakes, bell);
  try {
    for (;;) {
      const seen = await wait.look();
      if (!seen.ok || seen.value.isOver) return seen;
      const patienceMs = socket.ok ? Number.POSITIVE_INFINITY : LIMITS.watchRetryMs;
      const rang = await bell.rings(Math.min(patienceMs, deadline - Date.now()));
      if (!rang || !socket.ok || bell.isBroken || wait.signal.aborted) return seen;
    }
  } finally {
    wait.signal.removeEventListener("abort", ring);
    if (socket.ok) socket.value.close();
  }
}

async function subscribe(agent: AgentObject, wakes: readonly string[], bell: Bell): Promise<Result<WatchSocket>> {
  const head = await answer(agent.log({ after: Number.MAX_SAFE_INTEGER, limit: 1 }));
  if (!head.ok) return head;
  return WatchSocket.open(agent, head.value.head, {
    frame: ({ event }) => {
      if (wakes.includes(event) || event === "end") bell.ring();
    },
    close: () => bell.break(),
  });
}
