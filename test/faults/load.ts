import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import { type Chain, contentOf, makeChain, type Outside } from "./chain.ts";
import { type Point, type PointBus, SPILLS } from "./points.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { Watcher } from "./watcher.ts";

/**
 * What clients ask of the kernel during the run, and what it promised them: agents that answer chains, libraries that
 * grow until they spill, short-lived processes that are erased, children that end with their parent.
 */

/** A message that was sent until it was acknowledged. */
export interface SentMessage {
  chain: Chain;
  /** Null = never acknowledged. */
  messageId: string | null;
  /** What the client was told of its end, if it waited for it. */
  told?: { state: string; reply?: string };
  cancelled: boolean;
}

export interface SentPages {
  agentId: string;
  sha256: string;
  /** Null = never acknowledged. */
  pageIds: string[] | null;
}

export interface LoadedAgent {
  id: string;
  name: string;
  goal: Chain;
  daemon: boolean;
  parentId: string | null;
  lane: Lane;
  /** Whether its chains act on the tool servers. */
  acts: boolean;
  /** 202 was seen. */
  erased: boolean;
  /** KILL was acknowledged, to it or to its parent. */
  killed: boolean;
  watcher: Watcher;
  messages: SentMessage[];
}

type Lane = "interactive" | "batch";
type Spawn = { daemon: boolean; parentId?: string; lane?: Lane; acts?: boolean };

export interface LoadSize {
  daemons: number;
  /** Daemons that get large pages as well. */
  libraries: number;
}

const MODEL = "openai/gpt-4.1-nano";
const WINDOW_TOKENS = 16_000;
const OUTSTANDING = 2;
/** Every so many daemons, and this share of the short lives, are of the batch lane. */
const BATCH_EVERY = 3;
const BATCH_SHARE = 0.3;
/** Far above what a run uses: their meters are checked. */
const QUOTAS = { tokens: 1e12, steps: 1e9, nanoUsd: 1e15 };
const PAGE_TOKENS = 2_000;
/** Above the high watermark of the warm tier, so that every document makes its library spill. */
const PAGES_BYTES = [2_100_000, 2_400_000] as const;
const WORDS = 4_000;

export class Load {
  readonly agents: LoadedAgent[] = [];
  readonly pages: SentPages[] = [];
  readonly #api: Api;
  readonly #bus: PointBus;
  readonly #random: SeededRandom;
  readonly #outside: Outside;
  /** Ends the watching. */
  readonly #over = new AbortController();
  /** Ends the sending. */
  readonly #enough = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #libraries: LoadedAgent[] = [];
  #paused = false;
  #names = 0;

  constructor(api: Api, bus: PointBus, random: SeededRandom, outside: Outside) {
    this.#outside = outside;
    this.#api = api;
    this.#bus = bus;
    this.#random = random;
  }

  async start(size: LoadSize): Promise<void> {
    const daemons = await Promise.all(
      Array.from({ length: size.daemons }, (_, i) =>
        this.#spawn({ daemon: true, lane: i % BATCH_EVERY === BATCH_EVERY - 1 ? "batch" : "interactive", acts: true }),
      ),
    );
    for (const agent of daemons) if (agent !== null) this.#loops.push(this.#talk(agent, this.#random.fork()));
    this.#libraries.push(...daemons.filter((agent) => agent !== null).slice(0, size.libraries));
    this.#loops.push(this.#shortLives(this.#random.fork()));
  }

  /** Does what brings `point` about, where the load by itself does so too rarely. */
  provoke(point: Point): void {
    if (SPILLS.includes(point)) this.#loops.push(this.#ingest(this.#random.pick(this.#libraries)));
    if (point === "spawn" || point === "erase")
      this.#loops.push(this.#shortLife(this.#random.fork(), point === "erase"));
  }

  /** No new requests until it is over: what runs then runs by itself. */
  pause(paused: boolean): void {
    this.#paused = paused;
  }

  /** What was seen last of each agent that has work. */
  marks(): Map<Watcher, number> {
    const busy = this.agents.filter(
      ({ messages, watcher, erased }) =>
        !erased && messages.some(({ messageId }) => messageId !== null && !watcher.done.has(messageId)),
    );
    return new Map(busy.map(({ watcher }) => [watcher, watcher.seen.size]));
  }

  /** Sends nothing any more; waits for the last acknowledgements. */
  async finish(): Promise<void> {
    this.#paused = false;
    this.#enough.abort();
    await Promise.all(this.#loops);
  }

  close(): void {
    this.#over.abort();
  }

  get #running(): boolean {
    return !this.#enough.signal.aborted;
  }

  async #spawn({ lane = "interactive", acts = false, ...spec }: Spawn): Promise<LoadedAgent | null> {
    const name = `${lane}-${++this.#names}`;
    const { keyed, plain } = this.#outside;
    const may = acts
      ? { permissionLevel: "ADVANCED", grants: { hosts: [keyed, plain].map((url) => new URL(url).host) } }
      : {};
    const goal = makeChain(`${name}-goal`, this.#random, acts ? this.#outside : null);
    const body = { name, role: "adder", goal: contentOf(goal), model: MODEL, lane, quotas: QUOTAS, ...may, ...spec };
    const context = { windowTokens: WINDOW_TOKENS, pageTokens: PAGE_TOKENS };
    this.#bus.reached("spawn");
    const reply = await this.#api.until(
      "/v1/agents",
      { method: "POST", body: { ...body, context }, idempotencyKey: `spawn-${name}` },
      this.#over.signal,
    );
    if (reply?.status !== 201) return null;
    const { id } = reply.body as { id: string };
    const watcher = new Watcher(this.#api, this.#bus, id, lane === "batch");
    void watcher.run(this.#over.signal);
    const { daemon, parentId = null } = spec;
    const agent = { id, name, goal, daemon, parentId, lane, acts, erased: false, killed: false, watcher, messages: [] };
    this.agents.push(agent);
    return agent;
  }

  // --- daemons

  async #talk(agent: LoadedAgent, random: SeededRandom): Promise<void> {
    for (let n = 1; this.#running; ) {
      const open = agent.messages.filter(({ messageId }) => messageId !== null && !agent.watcher.done.has(messageId));
      if (this.#paused || open.length >= OUTSTANDING) {
        await sleep(20);
        continue;
      }
      const message: SentMessage = {
        chain: makeChain(`${agent.name}-m${n++}`, random, agent.acts ? this.#outside : null),
        messageId: null,
        cancelled: false,
      };
      agent.messages.push(message);
      await this.#send(agent, message, random);
      if (random.chance(0.05)) await this.#cancel(agent, message);
      if (random.chance(0.05)) await this.#stopAndGo(agent, random);
    }
  }

  async #send(agent: LoadedAgent, message: SentMessage, random: SeededRandom): Promise<void> {
    const wait = random.chance(0.2) ? { wait: 2 } : {};
    const reply = await this.#api.until(
      `/v1/agents/${agent.id}/messages`,
      { method: "POST", body: { content: contentOf(message.chain), ...wait }, idempotencyKey: message.chain.id },
      this.#over.signal,
    );
    const body = reply?.body as { messageId?: string; state?: string; reply?: string } | null | undefined;
    message.messageId = body?.messageId ?? null;
    if (reply?.status !== 200 || body?.state === undefined) return;
    message.told = { state: body.state, ...(body.reply === undefined ? {} : { reply: body.reply }) };
  }

  async #cancel(agent: LoadedAgent, message: SentMessage): Promise<void> {
    if (message.messageId === null) return;
    message.cancelled = true;
    const path = `/v1/agents/${agent.id}/messages/${message.messageId}`;
    await this.#api.until(path, { method: "DELETE" }, this.#over.signal);
  }

  async #stopAndGo(agent: LoadedAgent, random: SeededRandom): Promise<void> {
    const signal = (name: string) =>
      this.#api.until(`/v1/agents/${agent.id}/signals`, { method: "POST", body: { signal: name } }, this.#over.signal);
    await signal("STOP");
    await sleep(random.int(0, 600));
    await signal("CONT");
  }

  // --- libraries

  /** Enough pages for a spill. */
  async #ingest(agent: LoadedAgent): Promise<void> {
    const n = this.pages.length + 1;
    const content = textOf(`${agent.name} document ${n}`, this.#random.int(...PAGES_BYTES), this.#random);
    const pages: SentPages = { agentId: agent.id, sha256: sha256(content), pageIds: null };
    this.pages.push(pages);
    this.#bus.reached("ingest");
    const reply = await this.#api.until(
      `/v1/agents/${agent.id}/pages`,
      {
        method: "POST",
        body: { content, source: `document-${n}`, trust: "user", sensitivity: "public" },
        idempotencyKey: `${agent.name}-pages-${n}`,
      },
      this.#over.signal,
    );
    if (reply?.status === 201) pages.pageIds = (reply.body as { pages: { id: string }[] }).pages.map(({ id }) => id);
  }

  // --- short lives

  async #shortLives(random: SeededRandom): Promise<void> {
    while (this.#running) {
      if (!this.#paused) await this.#shortLife(random, random.chance(0.4));
      await this.#rest(random.int(2_000, 8_000));
    }
  }

  async #shortLife(random: SeededRandom, erased: boolean): Promise<void> {
    const lane = random.chance(BATCH_SHARE) ? "batch" : "interactive";
    const agent = await this.#spawn({ daemon: random.chance(0.3), lane });
    if (agent === null) return;
    await this.#rest(random.int(0, 1_500));
    if (random.chance(0.4)) await this.#family(agent, random);
    if (erased) await this.#erase(agent);
  }

  /** A child ends with its parent. */
  async #family(parent: LoadedAgent, random: SeededRandom): Promise<void> {
    const child = await this.#spawn({ daemon: true, parentId: parent.id });
    await this.#rest(random.int(0, 800));
    const path = `/v1/agents/${parent.id}/signals`;
    const killed = await this.#api.until(path, { method: "POST", body: { signal: "KILL" } }, this.#over.signal);
    // 409: an earlier try, whose reply was lost, or its own end came first.
    if (killed?.status === 202 || killed?.status === 409) parent.killed = true;
    if (child !== null) child.killed = true;
  }

  async #erase(agent: LoadedAgent): Promise<void> {
    this.#bus.reached("erase");
    const reply = await this.#api.until(`/v1/agents/${agent.id}`, { method: "DELETE" }, this.#over.signal);
    // 404: an earlier try, whose reply was lost, has done it.
    agent.erased = reply?.status === 202 || reply?.status === 404;
  }

  async #rest(ms: number): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end && this.#running; ) await sleep(20);
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** `bytes` of text that no other call gives. */
function textOf(title: string, bytes: number, random: SeededRandom): string {
  const lines = [`# ${title}`];
  for (let length = 0; length < bytes; length += lines.at(-1)?.length ?? 1) {
    const words = Array.from({ length: 12 }, () => `w${random.int(0, WORDS).toString(36)}`);
    lines.push(`${words.join(" ")} 页${random.int(0, 99)}.`);
  }
  return lines.join("\n");
}
