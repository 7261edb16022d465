import { listDurableObjectIds } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { systemClock, systemHash, systemRandom } from "../../durable-objects/ports.ts";
import { newAgentId } from "../../kernel/id.ts";
import { bindings, boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";

const idIn = (tenant: string) => newAgentId(tenant, { clock: systemClock, random: systemRandom, hash: systemHash });
const SPEC = { name: "a", role: "b", goal: "c" };

beforeAll(boot);

describe("without a key", () => {
  test("health answers, and nothing else of the API does", async () => {
    expect(await json(200, "GET", "/health", { key: null })).toMatchObject({ ok: true });
    await problem(401, "unauthorized", "GET", "/v1/agents", { key: null });
  });

  test("a wrong key is told apart from no key by nothing but its words", async () => {
    const document = await problem(401, "unauthorized", "GET", "/v1/agents", { key: "wrong" });
    expect(document.type).toBe("/docs#error-unauthorized");
  });

  test("401 says how to get in", async () => {
    const response = await request("GET", "/v1/agents", { key: null });
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="aos"');
  });

  test("an empty admin key lets nobody in", async () => {
    const key = bindings.AOS_ADMIN_KEY ?? "";
    bindings.AOS_ADMIN_KEY = "";
    const { status } = await request("GET", "/v1/agents", { headers: { Authorization: "Bearer " }, key: null });
    bindings.AOS_ADMIN_KEY = key;
    expect(status).toBe(401);
  });

  test("an unknown route under /v1 does not say that it is unknown", async () => {
    await problem(401, "unauthorized", "GET", "/v1/nothing", { key: null });
  });
});

describe("an agent's id", () => {
  test("that was made up, that belongs to another tenant, and that never was get the same words", async () => {
    const bodies = await Promise.all(
      ["agt_nonsense", idIn("globex"), idIn("default")].map((id) =>
        problem(404, "not_found", "GET", `/v1/agents/${id}`),
      ),
    );
    const words = bodies.map(({ requestId: _, ...rest }) => JSON.stringify(rest));
    expect(new Set(words).size).toBe(1);
  });

  test("that was made up or is another tenant's wakes no object", async () => {
    const before = await listDurableObjectIds(bindings.AGENTS);
    await problem(404, "not_found", "GET", "/v1/agents/agt_nonsense/steps");
    await problem(404, "not_found", "GET", `/v1/audit/verify?agentId=${idIn("globex")}`);
    await problem(404, "not_found", "DELETE", `/v1/agents/${idIn("globex")}`);
    expect(await listDurableObjectIds(bindings.AGENTS)).toEqual(before);
  });

  test("of one tenant is not found by another", async () => {
    const { id } = await spawnDaemon();
    await problem(404, "not_found", "GET", `/v1/agents/${id}`, { tenant: "globex" });
    await problem(404, "not_found", "GET", `/v1/audit?agentId=${id}`, { tenant: "globex" });
  });

  test("with broken percent-encoding is not found", async () => {
    await problem(404, "not_found", "GET", "/v1/agents/%zz");
    await problem(404, "not_found", "GET", "/v1/agents/%ff%fe/steps");
  });
});

describe("a body", () => {
  test("that is no JSON is 400", async () => {
    const headers = { "Content-Type": "application/json" };
    for (const raw of ["{", "", "nul", '{"a":1}x', new Uint8Array([0x22, 0xff, 0x22])]) {
      await problem(400, "invalid_json", "POST", "/v1/agents", { raw, headers });
    }
  });

  test("of another type, without a type, or compressed is 415", async () => {
    const raw = JSON.stringify(SPEC);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]) {
      await problem(415, "unsupported_media_type", "POST", "/v1/agents", { raw, headers: { "Content-Type": type } });
    }
    await problem(415, "unsupported_media_type", "POST", "/v1/agents");
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    await problem(415, "unsupported_media_type", "POST", "/v1/agents", { raw, headers });
  });

  test("with a charset and odd letters in its type is JSON all the same", async () => {
    const headers = { "Content-Type": 'Application/JSON; charset="UTF-8"' };
    await problem(422, "invalid_input", "POST", "/v1/agents", { raw: "{}", headers });
  });

  test("with wrong fields is 422 and names each by its JSON path", async () => {
    const body = { ...SPEC, role: 7, quotas: { tokens: -1 }, tools: ["ok", ""], "odd name": 1, flavour: "x" };
    const { errors = [] } = await problem(422, "invalid_input", "POST", "/v1/agents", { body });
    const paths = errors.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["$.role", "$.tools[1]", "$.flavour", '$["odd name"]']));
    expect(paths.some((path) => path.startsWith("$.quotas.tokens"))).toBe(true);
  });

  test("that is an array, a number or null is 422", async () => {
    for (const body of [[], 1, null, "text"]) await problem(422, "invalid_input", "POST", "/v1/agents", { body });
  });

  test("with a field named __proto__ is refused like any unknown field", async () => {
    const raw = '{"name":"a","role":"b","goal":"c","__proto__":{"daemon":true}}';
    const headers = { "Content-Type": "application/json" };
    const { errors = [] } = await problem(422, "invalid_input", "POST", "/v1/agents", { raw, headers });
    expect(errors[0]?.path).toBe("$.__proto__");
  });

  test("with half of a surrogate pair is no text", async () => {
    const body = { ...SPEC, goal: "half \ud83d" };
    const { errors = [] } = await problem(422, "invalid_input", "POST", "/v1/agents", { body });
    expect(errors[0]?.path).toBe("$.goal");
  });

  test("with a million unknown fields names only some of them", async () => {
    const body = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`f${i}`, 1]));
    const { errors = [] } = await problem(422, "invalid_input", "POST", "/v1/agents", { body });
    expect(errors.length).toBe(32);
  });

  test("nested five million deep breaks nothing", async () => {
    const headers = { "Content-Type": "application/json" };
    const raw = "[".repeat(5_000_000) + "]".repeat(5_000_000);
    await problem(422, "invalid_input", "POST", "/v1/agents", { raw, headers });
  });

  test("of a page over 16 MiB is 413, and nothing of it is kept", async () => {
    const { id } = await spawnDaemon();
    const before = await json<{ items: unknown[] }>(200, "GET", `/v1/agents/${id}/pages`);
    const body = { content: "x".repeat(20_000_000) };
    await problem(413, "too_large", "POST", `/v1/agents/${id}/pages`, { body });
    const after = await json<{ items: unknown[] }>(200, "GET", `/v1/agents/${id}/pages`);
    expect(after.items.length).toBe(before.items.length);
  });

  test("of unknown length is counted as it comes", async () => {
    const { id } = await spawnDaemon();
    const chunk = new Uint8Array(1 << 20).fill(0x20);
    let sent = 0;
    const raw = new ReadableStream<Uint8Array>({
      pull: (controller) => (sent++ < 20 ? controller.enqueue(chunk) : controller.close()),
    });
    await problem(413, "too_large", "PUT", `/v1/agents/${id}/files/big`, { raw });
  });
});

describe("a query", () => {
  test.each([
    "limit=0",
    "limit=201",
    "limit=1e9",
    "limit=-1",
    "limit=99999999999999999999",
    "limit=ten",
    "limit=1.5",
    "limit=1&limit=2",
    "cursor=abc",
    "cursor=%00",
    "cursor=../../etc",
    "state=asleep",
  ])("of %s is 422", async (query) => {
    const { errors = [] } = await problem(422, "invalid_input", "GET", `/v1/agents?${query}`);
    expect(errors[0]?.path).toBe(`query.${query.split("=")[0]}`);
  });

  test("with blank values says nothing", async () => {
    await json(200, "GET", "/v1/agents?state=&name=&parentId=&limit=&cursor=");
  });

  test("takes a cursor only on the list that gave it", async () => {
    await spawnDaemon();
    await spawnDaemon();
    const { nextCursor } = await json<{ nextCursor: string }>(200, "GET", "/v1/agents?limit=1");
    expect(nextCursor).toBeTypeOf("string");
    await json(200, "GET", `/v1/agents?limit=1&cursor=${nextCursor}`);
    await problem(422, "invalid_input", "GET", `/v1/audit?cursor=${nextCursor}`);
  });
});

describe("a route", () => {
  test("with another method is 405 and names those that it takes", async () => {
    const { id } = await spawnDaemon();
    for (const [method, path, allow] of [
      ["PUT", "/v1/agents", "GET, HEAD, POST"],
      ["POST", `/v1/agents/${id}`, "GET, HEAD, PATCH, DELETE"],
      ["GET", `/v1/agents/${id}/signals`, "POST"],
      ["PATCH", `/v1/agents/${id}/files/a.txt`, "GET, HEAD, PUT, DELETE"],
      ["POST", "/health", "GET, HEAD"],
    ] as const) {
      const response = await request(method, path);
      expect([response.status, response.headers.get("Allow")]).toEqual([405, allow]);
      await response.body?.cancel();
    }
  });

  test("outside the API is a file of the console", async () => {
    const response = await request("GET", "/", { key: null });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(response.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(await response.text()).toContain("AOS-Kernel");
  });

  test("that is not there is 404", async () => {
    await problem(404, "not_found", "GET", "/nothing", { key: null });
    await problem(404, "not_found", "GET", "/v1/nothing");
    await problem(404, "not_found", "POST", "/nothing");
  });

  test("answers the caller's request id, unless it is no plain word", async () => {
    const named = await request("GET", "/health", { headers: { "X-Request-Id": "mine-1" } });
    expect(named.headers.get("X-Request-Id")).toBe("mine-1");
    const odd = await request("GET", "/health", { headers: { "X-Request-Id": "a b <c>" } });
    expect(odd.headers.get("X-Request-Id")).toMatch(/^req_/);
  });

  test("takes a tenant by name, and says which names there may be", async () => {
    const { errors = [] } = await problem(422, "invalid_input", "GET", "/v1/agents", { tenant: "Not A Tenant" });
    expect(errors[0]?.path).toBe("header.X-AOS-Tenant");
  });

  test("replies with data that no browser runs, frames or keeps", async () => {
    const { headers } = await request("GET", "/v1/agents");
    expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cache-Control")).toBe("no-store");
  });
});
