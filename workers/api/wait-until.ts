import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { type AgentObject, answer, type ReachAgent } from "../objects.ts";
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
  /** One look, at an object that the last look may not have seen. */
  look(agent: AgentObject): Promise<Result<Look<T>>>;
  /** Kinds of log entries after which to look again. */
  wakes: readonly string[];
  timeoutMs: number;
  /** The client's: when it goes away, nobody waits any more. */
  signal: AbortSignal;
}

/**
 * The value once the wait is over, or as it is when the time has run out. An object that is restarting is waited for like
 * anything else; any other failure ends the wait.
 */
export async function waitUntil<T>(reach: ReachAgent, wait: Wait<T>): Promise<Result<T>> {
  const deadline = Date.now() + wait.timeoutMs;
  let seen = await wait.look(reach());
  while (goesOn(seen) && Date.now() < deadline && !wait.signal.aborted) {
    seen = await watch(reach, wait, deadline);
  }
  return seen.ok ? ok(seen.value.value) : seen;
}

function goesOn(seen: Result<Look<unknown>>): boolean {
  return seen.ok ? !seen.value.isOver : seen.error.code === "unavailable";
}

/** One subscription: looks at each ring, until it is over, the time is up, the client left, or the socket was lost. */
async function watch<T>(reach: ReachAgent, wait: Wait<T>, deadline: number): Promise<Result<Look<T>>> {
  const bell = new Bell();
  const ring = () => bell.ring();
  wait.signal.addEventListener("abort", ring);
  const socket = await subscribe(reach(), wait.wakes, bell);
  try {
    for (;;) {
      const seen = await wait.look(reach());
      if (!goesOn(seen) || wait.signal.aborted || Date.now() >= deadline) return seen;
      if (!socket.ok || bell.isBroken) return await later(seen, deadline);
      await bell.rings(deadline - Date.now());
    }
  } finally {
    wait.signal.removeEventListener("abort", ring);
    if (socket.ok) socket.value.close();
  }
}

/** Gives a lost socket time before the next one is opened. */
async function later<T>(seen: T, deadline: number): Promise<T> {
  await new Bell().rings(Math.min(LIMITS.watchRetryMs, deadline - Date.now()));
  return seen;
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
