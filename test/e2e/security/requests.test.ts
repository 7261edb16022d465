import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { type Egress, makeEgress } from "../../../kernel/security/egress.ts";
import { HostRules } from "../../../kernel/security/host-rules.ts";
import type { Reach } from "../../../kernel/security/reach.ts";
import { ToolServer } from "../../support/tool-server/client.ts";

/** What the way out does with requests, against servers of its own: redirects, bounds, and what it makes of silence. */

let here: ToolServer;
let there: ToolServer;
let egress: Egress;
let reach: Reach;

beforeAll(async () => {
  here = await ToolServer.start();
  there = await ToolServer.start();
  egress = makeEgress({ AOS_EGRESS_ALLOW: `${here.host},${there.host}` }, { allowed: fetch, public: fetch });
  reach = { methods: "any", hosts: value(HostRules.of([here.host, there.host])) };
});

afterAll(() => Promise.all([here.stop(), there.stop()]));

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

const forever = new AbortController().signal;

function send(method: string, url: string, headers: Record<string, string> = {}, signal = forever) {
  return egress.request({ method, url, headers }, { reach, signal });
}

async function headersSeen(server: ToolServer, path: string): Promise<Record<string, string>> {
  const [first] = await server.journal(path);
  return first?.type === "request" ? first.headers : {};
}

describe("a redirect", () => {
  test("to another origin takes no credentials along, to the same one all of them", async () => {
    const secret = { authorization: "Bearer s", cookie: "a=b", "x-api-key": "k", accept: "text/plain" };
    value(await send("GET", `${here.url}/a?to=${encodeURIComponent(`${there.url}/away`)}`, secret));
    value(await send("GET", `${here.url}/b?to=/home`, secret));
    const away = await headersSeen(there, "/away");
    expect(away["accept"]).toBe("text/plain");
    for (const name of ["authorization", "cookie", "x-api-key"]) expect(away, name).not.toHaveProperty(name);
    expect(await headersSeen(here, "/home")).toMatchObject(secret);
  });

  test("is followed a few times and no more", async () => {
    const loop = `${here.url}/loop?to=${encodeURIComponent("/loop?to=%2Floop")}`;
    const url = Array.from({ length: LIMITS.redirects + 1 }).reduce<string>(
      (next, _, i) => `${here.url}/hop-${i}?to=${encodeURIComponent(next)}`,
      loop,
    );
    expect(await send("GET", url)).toMatchObject({ error: { code: "tool_failed" } });
    const hops = (await here.journal()).filter(({ type, path }) => type === "act" && path.startsWith("/hop-"));
    expect(hops).toHaveLength(LIMITS.redirects + 1);
  });

  test("to a host out of reach is refused, like the first hop would be", async () => {
    const narrow = { methods: "read" as const, hosts: value(HostRules.of([here.host])) };
    const url = `${here.url}/out?to=${encodeURIComponent(`${there.url}/secret`)}`;
    const refused = await egress.request({ method: "GET", url, headers: {} }, { reach: narrow, signal: forever });
    expect(refused).toMatchObject({ error: { code: "forbidden" } });
    expect(await there.journal("/secret")).toEqual([]);
  });

  test("of a request that acts is its answer, and nothing acts elsewhere", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const to = encodeURIComponent(`${there.url}/acted`);
      const response = value(await send("POST", `${here.url}/post?status=${status}&to=${to}`));
      expect(response.status).toBe(status);
      expect(response.headers.get("location")).toBe(`${there.url}/acted`);
    }
    expect(await there.journal("/acted")).toEqual([]);
  });
});

describe("silence", () => {
  test("after a request that reads is a failure; after one that acts nobody knows", async () => {
    expect(await send("GET", `${here.url}/r?fault=reset_after`)).toMatchObject({ error: { code: "tool_unavailable" } });
    expect(await send("POST", `${here.url}/w?fault=reset_after`)).toMatchObject({ error: { code: "outcome_unknown" } });
    const soon = () => AbortSignal.timeout(300);
    expect(await send("GET", `${here.url}/r2?fault=hang_before`, {}, soon())).toMatchObject({
      error: { code: "deadline_exceeded" },
    });
    expect(await send("DELETE", `${here.url}/w2?fault=hang_before`, {}, soon())).toMatchObject({
      error: { code: "outcome_unknown" },
    });
  });
});

test("a body is read up to a bound, and says that it was cut", async () => {
  const whole = value(await send("GET", `${here.url}/small?size=1000`));
  expect([whole.complete, whole.bytes.length]).toEqual([true, 1_000]);
  const cut = value(await send("GET", `${here.url}/large?size=${LIMITS.webBodyBytes * 3}`));
  expect(cut.complete).toBe(false);
  expect(cut.bytes.length).toBeLessThanOrEqual(LIMITS.webBodyBytes);
  expect(cut.bytes.length).toBeGreaterThan(0);
});

test("whatever status comes is an answer", async () => {
  for (const status of [204, 404, 429, 500, 503]) {
    expect(value(await send("POST", `${here.url}/s?status=${status}`)).status).toBe(status);
  }
});
