import { LIMITS } from "../../kernel/limits.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { KernelClient } from "./client/client.ts";
import type { Endpoint } from "./client/transport.ts";
import type { LocalRuntime } from "./runtime/local-runtime.ts";

/** A kernel of one's own: it boots in this process on a free port of 127.0.0.1. */
export interface EmbeddedOptions {
  /** Folder of all state; `AOS_STATE`, else `.aos`. One runtime at a time may use it. */
  state?: string;
  /** Port of the API; 0, the default, takes any free one. */
  port?: number;
  /** Variables over those of this process and of `.dev.vars`, e.g. `OPENAI_API_KEY`. An empty one counts as unset. */
  env?: Readonly<Record<string, string | undefined>>;
}

/**
 * AOS-Kernel from a program: embedded (the local runtime in this process) or remote (a deployed kernel).
 *
 * ```ts
 * await using kernel = new AgentOSKernel();
 * await kernel.initialize();
 * const id = await kernel.spawnAgent({ name: "Assistant", role: "general", goal: "What is 6 * 7?" });
 * await kernel.run();
 * console.log((await kernel.client.agents.get(id)).result);
 * ```
 */
export class AgentOSKernel {
  readonly #options: EmbeddedOptions | Endpoint;
  readonly #spawned = new Set<string>();
  #client: KernelClient | undefined;
  #runtime: LocalRuntime | undefined;

  /** Starts nothing: `initialize` does. */
  constructor(options: EmbeddedOptions | Endpoint = {}) {
    this.#options = options;
  }

  /**
   * Boots the embedded kernel, or sees that the remote one answers. A second call does nothing. Throws a `RuntimeError`
   * (embedded: a bad setting, a locked state folder, a port in use) or an `AosError` (remote).
   */
  async initialize(): Promise<void> {
    if (this.#client) return;
    const client = new KernelClient(isRemote(this.#options) ? this.#options : await this.#boot(this.#options));
    await client.health();
    this.#client = client;
  }

  /** Every route of the HTTP API, typed. Throws before `initialize`. */
  get client(): KernelClient {
    if (!this.#client) throw new Error("call initialize() first");
    return this.#client;
  }

  /** Where the API answers; null before `initialize` and, embedded, after `shutdown`. */
  get url(): string | null {
    return isRemote(this.#options) ? this.#options.baseUrl : (this.#runtime?.url ?? null);
  }

  /** Spawns a process and answers its id. It is durable then: it survives this program. */
  async spawnAgent(spec: ProcessSpec): Promise<string> {
    const block = await this.client.agents.spawn(spec);
    this.#spawned.add(block.id);
    return block.id;
  }

  /**
   * Waits until every agent spawned here is done (terminated, or a daemon with nothing to do), is stopped, or waits for
   * something that only a person can give: an answer, an approval, a larger quota. Answers their control blocks.
   */
  async run(options: { signal?: AbortSignal } = {}): Promise<ControlBlock[]> {
    return Promise.all([...this.#spawned].map((id) => this.#settled(id, options.signal)));
  }

  /** Ends the embedded kernel and gives its state folder back; agents go on when a kernel starts there again. */
  async shutdown(): Promise<void> {
    const runtime = this.#runtime;
    this.#runtime = undefined;
    this.#client = undefined;
    this.#spawned.clear();
    await runtime?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #boot(options: EmbeddedOptions): Promise<Endpoint> {
    // Loaded only here: a program that talks to a remote kernel needs no workerd.
    const { LocalRuntime } = await import("./runtime/local-runtime.ts");
    const { readSettings } = await import("./runtime/settings.ts");
    const { state, port = 0, env = {} } = options;
    const own = { AOS_PORT: String(port), ...(state === undefined ? {} : { AOS_STATE: state }) };
    this.#runtime = await LocalRuntime.start(readSettings({ ...process.env, ...env, ...own }));
    return { baseUrl: this.#runtime.url, apiKey: this.#runtime.adminKey };
  }

  async #settled(agentId: string, signal: AbortSignal | undefined): Promise<ControlBlock> {
    for (;;) {
      signal?.throwIfAborted();
      const options = { timeoutSeconds: LIMITS.waitDefaultSeconds, ...(signal && { signal }) };
      const block = await this.client.agents.wait(agentId, options);
      if (isSettled(block)) return block;
    }
  }
}

/** Whether a process will do nothing more by itself. */
export function isSettled(block: ControlBlock): boolean {
  if (block.state === "terminated" || block.state === "stopped") return true;
  if (block.state !== "waiting") return false;
  if (block.waitReason === "message") return block.daemon;
  return block.waitReason === "approval" || block.waitReason === "quota";
}

function isRemote(options: EmbeddedOptions | Endpoint): options is Endpoint {
  return "baseUrl" in options;
}
