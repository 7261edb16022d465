import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import type { Chain } from "./chain.ts";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * The person whom the kernel asks: about calls whose outcome a crash hid, this one looks at what the tool server did, and says
 * so; agents that ten deaths on one call have stopped are told to go on. Kills that wait for named points can strike the same
 * call again and again, so a campaign brings a few of these about by itself.
 */

interface Approval {
  id: string;
  kind: string;
  action: { input: string } | null;
}

interface StoppedAgent {
  id: string;
  stopReason: string | null;
}

const LOOK_MS = 400;
const GIVE_UP_SHARE = 0.2;

export class Person {
  /** Paths that were said not to have happened, once a saying; and paths that were given up. */
  readonly notDone = new Map<string, number>();
  readonly abandoned = new Set<string>();
  /** Crash loops that were ended. */
  continued = 0;
  readonly #api: Api;
  readonly #random: SeededRandom;
  readonly #happened: (path: string) => Promise<boolean>;
  /** A first look may come before the tool server has acted on what is on its way. */
  readonly #seen = new Set<string>();

  constructor(api: Api, random: SeededRandom, happened: (path: string) => Promise<boolean>) {
    this.#api = api;
    this.#random = random;
    this.#happened = happened;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await sleep(LOOK_MS)) {
      for (const one of await this.#list<Approval>("/v1/approvals?state=open&limit=200"))
        await this.#decide(one).catch(() => {});
      for (const one of await this.#list<StoppedAgent>("/v1/agents?state=stopped&limit=200")) await this.#continue(one);
    }
  }

  /** Whether the chain may have ended as parked by this person's word. */
  gaveUp(chain: Chain): boolean {
    return chain.steps.some(({ post }) => post !== undefined && this.abandoned.has(pathOf(post.url)));
  }

  async #list<T>(path: string): Promise<T[]> {
    const { body } = await this.#api.once(path);
    return ((body ?? {}) as { items?: T[] }).items ?? [];
  }

  async #continue({ id, stopReason }: StoppedAgent): Promise<void> {
    if (stopReason !== "crash-loop") return;
    const { status } = await this.#api.once(`/v1/agents/${id}/signals`, { method: "POST", body: { signal: "CONT" } });
    if (status === 202) this.continued += 1;
  }

  async #decide({ id, kind, action }: Approval): Promise<void> {
    if (kind !== "approval" || action === null) return;
    if (!this.#seen.has(id)) return void this.#seen.add(id);
    const path = pathOf((JSON.parse(action.input) as { url: string }).url);
    const decision = await this.#verdict(path);
    // Noted before it is said: the answer may be lost.
    if (decision === "abandon") this.abandoned.add(path);
    if (decision === "not_done") this.notDone.set(path, (this.notDone.get(path) ?? 0) + 1);
    await this.#api.once(`/v1/approvals/${id}`, { method: "POST", body: { decision } });
  }

  async #verdict(path: string): Promise<"done" | "not_done" | "abandon"> {
    if (this.#random.chance(GIVE_UP_SHARE)) return "abandon";
    return (await this.#happened(path)) ? "done" : "not_done";
  }
}

export function pathOf(url: string): string {
  return new URL(url).pathname;
}
