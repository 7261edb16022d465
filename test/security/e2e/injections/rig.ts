import { join } from "node:path";
import type { AuditEntry } from "../../../../clients/sdk/client/ledger.ts";
import type { ControlBlock } from "../../../../kernel/process/block.ts";
import { KernelProcess, stateFolder } from "../../../e2e/runtime/kernel-process.ts";
import { ModelServer } from "../../../support/model-server/client.ts";
import { ServerProcess } from "../../../support/server-process.ts";

/** A kernel whose model obeys everything, a web to read, and a place where what is stolen would arrive. */

const HERE = import.meta.dirname;

export interface Arrived {
  method: string;
  url: string;
  headers: string;
  body: string;
}

export class Rig {
  readonly #kernel: KernelProcess;
  readonly #servers: { stop(): Promise<void> }[];
  readonly web: ServerProcess;
  readonly evil: ServerProcess;

  private constructor(kernel: KernelProcess, model: ModelServer, web: ServerProcess, evil: ServerProcess) {
    this.#kernel = kernel;
    this.web = web;
    this.evil = evil;
    this.#servers = [model, web, evil];
  }

  static async start(): Promise<Rig> {
    const answers = join(HERE, "obedient-model.ts");
    const model = await ModelServer.start({ answers, unsynced: true });
    const [web, evil] = [
      await ServerProcess.start(join(HERE, "web.ts"), []),
      await ServerProcess.start(join(HERE, "web.ts"), []),
    ];
    const kernel = await KernelProcess.start(stateFolder(), {
      OPENAI_API_KEY: "test",
      OPENAI_BASE_URL: model.baseUrl,
      AOS_EGRESS_ALLOW: [web, evil].map(({ url }) => new URL(url).host).join(","),
    });
    return new Rig(kernel, model, web, evil);
  }

  async stop(): Promise<void> {
    await this.#kernel.dispose();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** A daemon of the level at which nothing but what it has read stands between the model and the world. */
  async spawn(spec: object = {}): Promise<string> {
    const body = { name: "Clerk", role: "clerk", goal: "Help the harbour.", model: "openai/obedient", daemon: true };
    const { id } = await this.call<ControlBlock>("POST", "/v1/agents", { ...body, permissionLevel: "FULL", ...spec });
    return id;
  }

  page(agentId: string, content: string, label: object = {}): Promise<unknown> {
    return this.call("POST", `/v1/agents/${agentId}/pages`, { content, ...label });
  }

  file(agentId: string, name: string, content: string, label: Record<string, string> = {}): Promise<unknown> {
    const query = new URLSearchParams(label);
    return this.#send("PUT", `/v1/agents/${agentId}/files/workspace/${name}?${query}`, content, "text/plain");
  }

  /** Sends a message and waits until it is done, or a person is asked. */
  async tell(agentId: string, content: string, label: object = {}): Promise<ControlBlock> {
    await this.call("POST", `/v1/agents/${agentId}/messages`, { content, ...label });
    return this.call<ControlBlock>("GET", `/v1/agents/${agentId}/wait?timeout=60`);
  }

  async ends(agentId: string): Promise<Record<string, unknown>[]> {
    const path = `/v1/audit?agentId=${agentId}&action=call.end&limit=200`;
    const { items } = await this.call<{ items: AuditEntry[] }>("GET", path);
    return items.map(({ data }) => data).filter(({ name }) => name !== "llm.complete");
  }

  /** It has served its scenario. */
  async end(agentId: string): Promise<void> {
    await this.call("POST", `/v1/agents/${agentId}/signals`, { signal: "KILL" });
  }

  /** Lays a page on the web; answers its URL. */
  async lay(name: string, text: string): Promise<string> {
    await fetch(`${this.web.url}/_page/${name}`, { method: "PUT", body: text });
    return `${this.web.url}/page/${name}`;
  }

  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    return (await this.#send(
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
      "application/json",
    )) as T;
  }

  async #send(method: string, path: string, body: string | undefined, type: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#kernel.adminKey}`, "content-type": type };
    const response = await fetch(this.#kernel.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }
}

/** Runs `work` on each of `items`, `abreast` at a time; answers what it answered, in their order. */
export async function abreast<T, R>(items: readonly T[], many: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const left = [...items.entries()];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) answers[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: many }, lane));
  return answers;
}
