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
  reach = { methods: "any", hosts: value(HostRules.of([here.host, there.host])), denied: HostRules.none };
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
    const narrow = { methods: "read" as const, hosts: value(HostRules.of([here.host])), denied: HostRules.none };
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

describe("a credential", () => {
  const headers = { "x-api-key": "the-key-of-this-host", accept: "application/secret+json" };
  const credential = () => ({ name: "tide", headers, hosts: value(HostRules.of([here.host])) });
  const sendWith = (url: string, own: Record<string, string> = {}) =>
    egress.request({ method: "GET", url, headers: own }, { reach, signal: forever, credential: credential() });

  test("goes to its hosts in place of what the asker said, and to no other host", async () => {
    value(await sendWith(`${here.url}/with`, { "x-api-key": "guess", "x-own": "mine" }));
    expect(await headersSeen(here, "/with")).toMatchObject({ ...headers, "x-own": "mine" });
    expect(await sendWith(`${there.url}/with`)).toMatchObject({ error: { code: "forbidden" } });
    expect(await there.journal("/with")).toEqual([]);
  });

  test("follows a redirect on its origin and none to another, under whatever names it travels", async () => {
    value(await sendWith(`${here.url}/stay?to=/kept`));
    expect(await headersSeen(here, "/kept")).toMatchObject(headers);
    value(await sendWith(`${here.url}/go?to=${encodeURIComponent(`${there.url}/dropped`)}`));
    const dropped = JSON.stringify(await headersSeen(there, "/dropped"));
    for (const secret of Object.values(headers)) expect(dropped).not.toContain(secret);
  });

  test("that a host repeats is taken out of status, headers and body alike", async () => {
    const answer = value(await sendWith(`${here.url}/echo?echo&status=500`));
    const text = new TextDecoder().decode(answer.bytes);
    expect(text).toContain("[redacted]");
    for (const secret of Object.values(headers)) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("hex"));
    }
    const to = encodeURIComponent(`/next?key=${headers["x-api-key"]}`);
    const moved = value(await sendWith(`${here.url}/moves?to=${to}`));
    expect(moved.url).toBe(`${here.url}/next?key=[redacted]`);
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
