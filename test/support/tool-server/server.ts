import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToolJournal } from "./journal.ts";
import { type Fault, type Order, orderOf } from "./order.ts";

/**
 * The scripted tool server: any method on any path acts once a request, or, when it honours keys, once an `Idempotency-Key`;
 * the URL says what else happens (order.ts). `GET /_journal` is for tests.
 */
export function toolServer(journal: ToolJournal, { honoursKeys }: { honoursKeys: boolean }): Server {
  /** Path and key -> the number of its effect. */
  const acts = new Map<string, number>();
  const faults = new Map<string, number>();
  let requests = 0;
  let effects = 0;
  return createServer((request, response) => {
    route(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://tool");
    if (url.pathname === "/_journal") return void response.end(journal.text());
    const body = await bodyOf(request);
    requests += 1;
    const key = request.headers["idempotency-key"]?.toString() ?? null;
    const facts = { request: requests, method: request.method ?? "GET", path: url.pathname, key };
    const headers = request.headers as Record<string, string>;
    journal.append({ type: "request", ...facts, headers, body });
    const order = orderOf(url);
    await sleep(order.before);
    const fault = dueFault(order, `${url.pathname} ${key}`);
    if (fault === "hang_before") return;
    if (fault === "reset_before") return void request.socket.resetAndDestroy();
    const effect = act(facts);
    await sleep(order.after);
    if (fault === "hang_after") return;
    if (fault === "reset_after") return void request.socket.resetAndDestroy();
    journal.append({ type: "reply", ...facts, status: order.status });
    const said = order.echo ? echoOf(request, body) : {};
    reply(response, order, { effect, path: url.pathname, ...said });
  }

  function act(facts: { request: number; method: string; path: string; key: string | null }): number {
    const name = `${facts.path} ${facts.key}`;
    const before = honoursKeys && facts.key !== null ? acts.get(name) : undefined;
    journal.append({ type: before === undefined ? "act" : "replay", ...facts });
    if (before !== undefined) return before;
    effects += 1;
    acts.set(name, effects);
    return effects;
  }

  function dueFault({ fault, times }: Order, name: string): Fault | null {
    const had = faults.get(name) ?? 0;
    if (fault === null || had >= times) return null;
    faults.set(name, had + 1);
    return fault;
  }
}

/** What hosts repeat of a request in debug pages, errors and echoes. */
function echoOf({ headers, url }: IncomingMessage, body: string): object {
  const text = JSON.stringify(headers);
  const bytes = Buffer.from(text);
  const spelt = {
    base64: bytes.toString("base64"),
    base64url: bytes.toString("base64url"),
    hex: bytes.toString("hex"),
  };
  return { headers, url, body, text, encoded: encodeURIComponent(text), ...spelt };
}

function reply(response: ServerResponse, { status, to, type, size }: Order, done: object): void {
  response.writeHead(status, { "content-type": type, ...(to === null ? {} : { location: to }) });
  response.end(size > 0 ? "x".repeat(size) : JSON.stringify(done));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
