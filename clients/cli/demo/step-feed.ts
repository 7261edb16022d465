import type { KernelClient } from "../../sdk/client/client.ts";
import type { AgentEvent } from "../../sdk/client/events.ts";
import type { Progress } from "./progress.ts";
import { tiersOf } from "./tiers.ts";

/** Shows what an agent does, from its event stream: model calls, tool calls, and page faults with the tiers after them. */
export class StepFeed {
  readonly #client: KernelClient;
  readonly #agentId: string;
  readonly #progress: Progress;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  /** Watches from log entry `after` on, until the first message after it has ended. */
  constructor(client: KernelClient, agentId: string, after: number, progress: Progress) {
    this.#client = client;
    this.#agentId = agentId;
    this.#progress = progress;
    this.#done = this.#watch(after);
    // Until `finish` is awaited, a failure must not count as unhandled.
    this.#done.catch(() => {});
  }

  /** Waits until the end of the message was shown, at most a few seconds; throws what broke the watch. */
  async finish(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), LAG_MS);
    await this.#done.finally(() => clearTimeout(timer));
  }

  async #watch(after: number): Promise<void> {
    for await (const event of this.#client.events.watch(this.#agentId, { after, signal: this.#stop.signal })) {
      const text = await this.#describe(event);
      if (text) this.#progress.say(`  ${text}`);
      if (event.event === "message.done") return;
    }
  }

  async #describe({ event, data }: AgentEvent): Promise<string | null> {
    if (event === "page.fault") return `${faults(data)} -> ${await tiersOf(this.#client, this.#agentId)}`;
    const call = `step ${data["step"]}: ${data["name"]}`;
    if (event === "call.start" && typeof data["promptTokens"] === "number") {
      return `${call} with ${data["promptTokens"]} tokens in the prompt`;
    }
    if (event === "call.end") return `${call} ${data["ok"] === true ? "done" : `failed: ${data["code"]}`}`;
    return null;
  }
}

const LAG_MS = 5_000;

function faults(data: Record<string, unknown>): string {
  return `page faults: ${data["minor"]} minor, ${data["major"]} major`;
}
