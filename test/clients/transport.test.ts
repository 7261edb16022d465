import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Transport } from "../../clients/sdk/client/transport.ts";

/** A server that answers each request with the next of its script; `null` cuts the connection. */
type Reply = { status: number; body?: object } | null;

let server: Server | undefined;
let requests: { method: string; url: string; headers: IncomingMessage["headers"] }[] = [];

async function serve(...script: Reply[]): Promise<Transport> {
  requests = [];
  server = createServer((request, response) => {
    requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    answer(response, script.shift() ?? null);
  });
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return new Transport({ baseUrl: `http://127.0.0.1:${port}`, apiKey: "aos_test", tenant: "acme" });
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === null) return void response.destroy();
  response.writeHead(reply.status, { "content-type": "application/json", "x-request-id": "req_1" });
  response.end(reply.body && JSON.stringify(reply.body));
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe("a request to the kernel", () => {
  it("carries key, tenant, query and JSON, and answers JSON", async () => {
    const transport = await serve({ status: 200, body: { ok: 1 } });
    expect(await transport.json("/v1/x", { query: { a: "ü&", b: undefined } })).toEqual({ ok: 1 });
    expect(requests[0]).toMatchObject({ method: "GET", url: "/v1/x?a=%C3%BC%26" });
    expect(requests[0]?.headers).toMatchObject({ authorization: "Bearer aos_test", "x-aos-tenant": "acme" });
  });

  it("answers undefined when there is no body", async () => {
    const transport = await serve({ status: 202 });
    expect(await transport.json("/v1/x", { method: "DELETE" })).toBeUndefined();
  });

  it("is tried again when the connection is cut and nothing can happen twice", async () => {
    const transport = await serve(null, null, { status: 200, body: {} });
    await transport.json("/v1/x");
    expect(requests).toHaveLength(3);
  });

  it("creates at most once: every try carries the same idempotency key", async () => {
    const transport = await serve(null, { status: 503 }, { status: 201, body: {} });
    await transport.json("/v1/x", { method: "POST", body: {}, idempotencyKey: true });
    expect(new Set(requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(requests).toHaveLength(3);
  });

  it("is sent once when a second time could do harm", async () => {
    const transport = await serve(null, { status: 200 });
    await expect(transport.json("/v1/x", { method: "POST" })).rejects.toMatchObject({ code: "unreachable", status: 0 });
    expect(requests).toHaveLength(1);
  });

  it("is not tried again when the kernel says no", async () => {
    const body = { code: "not_found", detail: "There is no such agent.", requestId: "req_9", errors: [] };
    const transport = await serve({ status: 404, body });
    const failure = { status: 404, code: "not_found", detail: "There is no such agent.", requestId: "req_9" };
    await expect(transport.json("/v1/x")).rejects.toMatchObject(failure);
    expect(requests).toHaveLength(1);
  });

  it("makes sense of a reply that is no problem document", async () => {
    const transport = await serve({ status: 418 });
    await expect(transport.json("/v1/x")).rejects.toMatchObject({ code: "http_418", requestId: "req_1" });
  });

  it("ends at its deadline", async () => {
    const transport = await serve();
    server?.removeAllListeners("request");
    await expect(transport.json("/v1/x", { deadlineMs: 50 })).rejects.toMatchObject({ code: "timeout", status: 0 });
  });
});
