import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { AccessLog } from "../../workers/api/access-log.ts";
import { TestClock } from "../support/ports.ts";
import { boot, request, spawnDaemon } from "./kernel-client.ts";
import { newKey } from "./key-holders.ts";

beforeAll(boot);
afterEach(() => vi.restoreAllMocks());

describe("the access log", () => {
  test("has a line for a read and one for a refused login, with no key and no path in it", async () => {
    const lines: Record<string, unknown>[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(JSON.parse(line)));
    const { id: keyId, key } = await newKey("viewer", "default");
    const agent = await spawnDaemon();
    await request("GET", `/v1/agents/${agent.id}/files/secret-name.txt`, {
      key,
      headers: { "X-Request-Id": "read-1" },
    });
    await request("GET", "/v1/agents", { key: "aos_guess", headers: { "X-Request-Id": "guess-1" } });
    await request("POST", "/v1/tenants", { key, body: { name: "x" }, headers: { "X-Request-Id": "no-1" } });
    const line = (requestId: string) => lines.find((each) => each["requestId"] === requestId);
    expect(line("read-1")).toEqual({
      level: "info",
      event: "access.granted",
      requestId: "read-1",
      keyId,
      tenant: "default",
      route: "GET /v1/agents/{id}/files/{path}",
      status: 404,
      ms: expect.any(Number),
    });
    expect(line("guess-1")).toMatchObject({ event: "access.refused", keyId: null, tenant: null, status: 401 });
    expect(line("no-1")).toMatchObject({ event: "access.denied", keyId, status: 403, route: "POST /v1/tenants" });
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${key}|aos_guess|secret-name`));
    expect(lines.some((each) => String(each["route"]).startsWith("POST /v1/agents"))).toBe(false);
  });

  test("counts refused logins a minute, and does not let them flood it", () => {
    const clock = new TestClock(0);
    const lines: Record<string, unknown>[] = [];
    const log = new AccessLog(clock, (line) => lines.push(JSON.parse(line)));
    const refused = { requestId: "r", keyId: null, tenant: null, route: null, status: 401, ms: 0 };
    for (let i = 0; i < 500; i++) log.note(refused);
    expect([lines.length, lines.at(-1)?.["refusedThisMinute"]]).toEqual([60, 60]);
    clock.advance(60_000);
    log.note({ ...refused, status: 200, keyId: "key_1" });
    expect(lines.slice(60)).toMatchObject([
      { event: "access.refusals", minute: "1970-01-01T00:00:00.000Z", refused: 500 },
      { event: "access.granted" },
    ]);
  });
});
