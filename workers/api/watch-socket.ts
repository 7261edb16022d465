import type { WatchFrame } from "../../durable-objects/agent/watch.ts";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { type AgentObject, answer } from "../objects.ts";

/**
 * The Worker's end of an agent's event socket. The object hibernates behind it, so whoever watches or waits through this
 * keeps nobody awake. The caller closes it, always: an open one counts against the agent's watchers.
 */
export class WatchSocket {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Subscribes to what comes after log entry `after`. `onClose` comes once, also after `close`. */
  static async open(
    agent: AgentObject,
    after: number,
    on: { frame(frame: WatchFrame): void; close(): void },
  ): Promise<Result<WatchSocket>> {
    const response = await answer<Response>(upgrade(agent, after).then((response) => ok(response)));
    if (!response.ok) return response;
    const socket = response.value.webSocket;
    if (!socket) return refusal(response.value);
    socket.addEventListener("message", ({ data }) => on.frame(JSON.parse(String(data)) as WatchFrame));
    socket.addEventListener("close", () => on.close());
    socket.addEventListener("error", () => on.close());
    socket.accept();
    return ok(new WatchSocket(socket));
  }

  /** Asks for the next batch of a replay, after a `more` frame. */
  next(after: number): void {
    this.#socket.send(JSON.stringify({ after }));
  }

  close(): void {
    this.#socket.close(1000, "done");
  }
}

/** The object's answer to the upgrade, as it is: also for a client that upgrades by itself. */
export function upgrade(agent: AgentObject, after: number): Promise<Response> {
  return agent.fetch(`https://agent/watch?after=${after}`, { headers: { Upgrade: "websocket" } });
}

/** Why an object gave no socket. */
export function refusal(response: Response): Result<never> {
  if (response.status === 404) return err("not_found", "There is no such agent.");
  const message = "This agent has as many watchers as it may have; try again later.";
  if (response.status === 429) return err("rate_limited", message, { retryAfterMs: 1_000 });
  return err("unavailable", "The agent's event socket is not to be had now; try again.", { retryAfterMs: 1_000 });
}
