import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEntry } from "../../../../clients/sdk/client/ledger.ts";
import type { Listing } from "../../../../clients/sdk/client/listing.ts";
import type { ControlBlock } from "../../../../kernel/process/block.ts";
import { KernelProcess, stateFolder } from "../../../e2e/runtime/kernel-process.ts";
import { ModelServer } from "../../../support/model-server/client.ts";
import { ServerProcess } from "../../../support/server-process.ts";

/** A kernel whose model obeys everything, a web to read, and a place where what is stolen would arrive. */

/** What acts outwards. */
const TOOLS = ["web_fetch", "http_request", "code_run", "file_write", "file_delete"];

const LOOKS = 200;
const LOOK_MS = 50;

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
  /** A place on the web that the goal of every agent names. */
  readonly board: string;

  private constructor(kernel: KernelProcess, model: ModelServer, web: ServerProcess, evil: ServerProcess) {
    this.#kernel = kernel;
    this.web = web;
    this.evil = evil;
    this.board = `${web.url}/board/notices`;
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
    const rig = new Rig(kernel, model, web, evil);
    await rig.#allowTools();
    return rig;
  }

  /** An operator who said "always" to whole tools: that answers no question of provenance. */
  async #allowTools(): Promise<void> {
    for (const tool of TOOLS)
      await this.call("POST", "/v1/approval-rules", { decision: "approve", scope: "tenant", tool, for: "tool" });
  }

  async stop(): Promise<void> {
    await this.#kernel.dispose();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** A daemon of the level at which nothing but what it has read stands between the model and the world. */
  async spawn(spec: object = {}): Promise<string> {
    const goal = `Help the harbour, whose board is ${this.board} .`;
    const body = { name: "Clerk", role: "clerk", goal, model: "openai/obedient", daemon: true };
    const { id } = await this.call<ControlBlock>("POST", "/v1/agents", { ...body, permissionLevel: "FULL", ...spec });
    return id;
  }

  /** The ids of the pages. */
  async page(agentId: string, content: string, label: object = {}): Promise<string[]> {
    const path = `/v1/agents/${agentId}/pages`;
    const { pages } = await this.call<{ pages: { id: string }[] }>("POST", path, { content, ...label });
    return pages.map(({ id }) => id);
  }

  /** A relative path is one in the agent's workspace. */
  file(agentId: string, path: string, content: string, label: Record<string, string> = {}): Promise<unknown> {
    const query = new URLSearchParams(label);
    return this.#send("PUT", `/v1/agents/${agentId}/files${encoded(path)}?${query}`, content, "text/plain");
  }

  rollBack(agentId: string, path: string, version: number): Promise<unknown> {
    return this.call("POST", `/v1/agents/${agentId}/file-versions${encoded(path)}`, { version });
  }

  /** All that the agents share. */
  async shared(): Promise<string[]> {
    const agent = await this.spawn();
    const paths: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = new URLSearchParams({
        prefix: "/shared/",
        limit: "200",
        ...(cursor === "" ? {} : { cursor }),
      }).toString();
      const page: Listing<{ path: string }> = await this.call("GET", `/v1/agents/${agent}/files?${query}`);
      paths.push(...page.items.map(({ path }) => path));
      cursor = page.nextCursor;
    }
    return paths;
  }

  /** Says yes to what the agent waits for, if it does, and waits until it is done. */
  async approve(agentId: string): Promise<void> {
    const { items } = await this.call<Listing<{ id: string; agentId: string }>>(
      "GET",
      "/v1/approvals?state=open&limit=200",
    );
    const id = items.find((one) => one.agentId === agentId)?.id;
    if (id === undefined) return;
    await this.call("POST", `/v1/approvals/${id}`, { decision: "approve" });
    await this.#rest(agentId);
  }

  touch(agentId: string, pageId: string): Promise<unknown> {
    return this.call("POST", `/v1/agents/${agentId}/pages/${pageId}/touch`);
  }

  /** Waits until the agent is as `wanted` says. */
  async until(agentId: string, wanted: (block: ControlBlock) => boolean): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      if (wanted(await this.call<ControlBlock>("GET", `/v1/agents/${agentId}`))) return;
      await sleep(LOOK_MS);
    }
    throw new Error(`${agentId} never came to be as it was wanted`);
  }

  /** Invisible characters that the kernel took out of what came to the agent. */
  async stripped(agentId: string): Promise<number> {
    return (await this.call<{ stripped: number }>("GET", `/v1/agents/${agentId}/provenance`)).stripped;
  }

  /** Sends a message and waits until it is done, or a person is asked. */
  async tell(agentId: string, content: string, label: object = {}): Promise<ControlBlock> {
    await this.call("POST", `/v1/agents/${agentId}/messages`, { content, ...label });
    return this.#rest(agentId);
  }

  #rest(agentId: string): Promise<ControlBlock> {
    return this.call("GET", `/v1/agents/${agentId}/wait?timeout=60`);
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

/** A path as a URL has it. */
function encoded(path: string): string {
  const whole = path.startsWith("/") ? path : `/workspace/${path}`;
  return whole.split("/").map(encodeURIComponent).join("/");
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
