import { setTimeout as sleep } from "node:timers/promises";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import type { MessageView } from "../../../kernel/process/message.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { JournalEntry } from "../../support/model-server/script.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** A kernel before a scripted model server, with limits on the account, and what stories ask of both. */

export const MODEL = "openai/gpt-5.4-mini";

/** One request as the model server saw it, in milliseconds since the epoch. */
export interface SeenCall {
  begun: number;
  ended: number;
  text: string;
  fault: string | null;
}

interface Sent {
  agentId: string;
  messageId: string;
}

export class GatedKernel {
  readonly model: ModelServer;
  readonly #limits: string;
  #kernel: KernelProcess;

  private constructor(model: ModelServer, kernel: KernelProcess, limits: string) {
    this.model = model;
    this.#kernel = kernel;
    this.#limits = limits;
  }

  static async start(limits: string, answers?: string): Promise<GatedKernel> {
    const model = await ModelServer.start(answers === undefined ? {} : { answers });
    return new GatedKernel(model, await boot(model, limits), limits);
  }

  /** SIGKILL, and the same state again. */
  async killed(): Promise<void> {
    await this.#kernel.end("SIGKILL");
    this.#kernel = await boot(this.model, this.#limits, this.#kernel.state);
  }

  async stop(): Promise<void> {
    await this.#kernel.dispose();
    await this.model.stop();
  }

  client(tenant = "default"): KernelClient {
    return new KernelClient({ baseUrl: this.#kernel.url, apiKey: this.#kernel.adminKey, tenant });
  }

  get url() {
    return { AOS_URL: this.#kernel.url, AOS_KEY: this.#kernel.adminKey };
  }

  /** Daemons that have answered their goal. */
  async daemons(count: number, tenant = "default", lane: "interactive" | "batch" = "interactive"): Promise<string[]> {
    const { agents } = this.client(tenant);
    const spec = { name: "Echo", role: "echo", goal: "begin", model: MODEL, daemon: true, lane };
    const blocks = await Promise.all(Array.from({ length: count }, () => agents.spawn(spec)));
    await Promise.all(blocks.map(({ id }) => agents.wait(id)));
    return blocks.map(({ id }) => id);
  }

  async send(agentIds: readonly string[], texts: readonly string[], tenant = "default"): Promise<Sent[]> {
    const { messages } = this.client(tenant);
    const pairs = agentIds.flatMap((agentId) => texts.map((text) => ({ agentId, text })));
    return Promise.all(pairs.map(async ({ agentId, text }) => ({ agentId, ...(await messages.send(agentId, text)) })));
  }

  /** How they ended, in the order of `sent`. */
  async ended(sent: readonly Sent[], ms: number, tenant = "default"): Promise<MessageView[]> {
    const end = Date.now() + ms;
    const { messages } = this.client(tenant);
    const views: MessageView[] = [];
    for (const { agentId, messageId } of sent) {
      let view = await messages.get(agentId, messageId);
      while (view.state === "queued" || view.state === "running") {
        if (Date.now() > end) throw new Error(`${messageId} did not end: ${JSON.stringify(view)}`);
        await sleep(50);
        view = await messages.get(agentId, messageId);
      }
      views.push(view);
    }
    return views;
  }

  async account() {
    const providers = await this.client().providers.list();
    const gate = providers.find(({ name }) => name === "openai")?.gate ?? null;
    if (gate === null) throw new Error("openai has no gate");
    return gate;
  }

  /** The journal, call by call, in the order in which they began. */
  async calls(): Promise<SeenCall[]> {
    return callsOf(await this.model.journal());
  }
}

function boot(model: ModelServer, limits: string, state?: string): Promise<KernelProcess> {
  const env = { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl, OPENAI_LIMITS: limits };
  return KernelProcess.start(state, env);
}

function callsOf(journal: readonly JournalEntry[]): SeenCall[] {
  const calls = new Map<number, SeenCall>();
  for (const entry of journal) {
    const call = calls.get(entry.request) ?? { begun: 0, ended: Number.POSITIVE_INFINITY, text: "", fault: null };
    if (entry.type === "request") call.begun = Date.parse(entry.at);
    if (entry.type === "reply") Object.assign(call, { text: entry.text, fault: entry.fault });
    if (entry.type === "end") call.ended = Date.parse(entry.at);
    calls.set(entry.request, call);
  }
  return [...calls.values()];
}

/** The most calls that were under way at once. */
export function mostAtOnce(calls: readonly SeenCall[]): number {
  return Math.max(0, ...calls.map(({ begun }) => calls.filter((c) => c.begun <= begun && c.ended > begun).length));
}

/** The most calls that began within any `ms`. */
export function mostWithin(calls: readonly SeenCall[], ms: number): number {
  const begins = calls.map(({ begun }) => begun);
  return Math.max(0, ...begins.map((from) => begins.filter((at) => at >= from && at < from + ms).length));
}
