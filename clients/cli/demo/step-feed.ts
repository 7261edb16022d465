import type { KernelClient } from "../../sdk/client/client.ts";
import type { AgentEvent } from "../../sdk/client/events.ts";
import { oneLine } from "../table.ts";
import type { Progress } from "./progress.ts";

/** Shows what an agent does, from its event stream: model calls, tool calls and page faults, each with the tiers then. */
export class StepFeed {
  readonly #client: KernelClient;
  readonly #agentId: string;
  readonly #progress: Progress;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** Log entries seen, by kind. */
  readonly seen = new Map<string, number>();

  /** Watches from log entry `after` on, until `stop`. */
  constructor(client: KernelClient, agentId: string, after: number, progress: Progress) {
    this.#client = client;
    this.#agentId = agentId;
    this.#progress = progress;
    this.#done = this.#watch(after);
    // Until `stop` is awaited, a failure must not count as unhandled.
    this.#done.catch(() => {});
  }

  /** Resolves when the watch has ended; throws what broke it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #watch(after: number): Promise<void> {
    for await (const event of this.#client.events.watch(this.#agentId, { after, signal: this.#stop.signal })) {
      this.seen.set(event.event, (this.seen.get(event.event) ?? 0) + 1);
      const text = describe(event);
      if (text) this.#progress.say(`  ${text}`);
    }
  }
}

const DETAIL_COLUMNS = 110;

function describe({ event, data }: AgentEvent): string | null {
  const name = String(data["name"] ?? "");
  const { at: _at, name: _name, step: _step, ...facts } = data;
  if (event === "call.start") return `step ${data["step"]}: ${name} ${modelInput(data)}`;
  if (event === "call.end")
    return `step ${data["step"]}: ${name} ${data["ok"] === true ? "done" : `failed, ${data["code"]}`}`;
  if (event.startsWith("page.") && event !== "page.add")
    return `${event} ${oneLine(JSON.stringify(facts), DETAIL_COLUMNS)}`;
  return null;
}

function modelInput(data: Record<string, unknown>): string {
  return typeof data["promptTokens"] === "number" ? `(${data["promptTokens"]} tokens in the prompt)` : "";
}
