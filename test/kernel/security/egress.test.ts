import { expect, test, vi } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { makeEgress } from "../../../kernel/security/egress.ts";
import { HostRules } from "../../../kernel/security/host-rules.ts";
import { reachOf } from "../../../kernel/security/reach.ts";

const SECRET = "crd-0123456789abcdefghijklmnopqrstuv";

/** What is told of a request with a credential when sending it throws an error with this message. */
async function told(method: string, message: string): Promise<string> {
  const fails = async () => {
    throw new TypeError(message);
  };
  const egress = makeEgress({}, { allowed: fails, public: fails });
  const hosts = HostRules.parse("api.example.com");
  if (!hosts.ok) throw new Error(hosts.error.message);
  const url = "https://api.example.com/x";
  const headers = { authorization: `Bearer ${SECRET}` };
  const answer = await egress.request(
    { method, url, headers: {} },
    {
      reach: reachOf("FULL", []),
      signal: new AbortController().signal,
      credential: { name: "tide", headers, hosts: hosts.value },
    },
  );
  return answer.ok ? "" : answer.error.message;
}

test("an exception that holds a credential loses it, wherever its message is cut", async () => {
  for (const method of ["GET", "POST"]) {
    expect(await told(method, `bad header: Bearer ${SECRET}`)).toContain("[redacted]");
    for (let shown = 0; shown <= SECRET.length; shown += 7) {
      const before = "x".repeat(LIMITS.toolErrorChars - 1 - shown);
      expect(await told(method, `${before} ${SECRET} is no header`)).not.toContain(SECRET.slice(0, 6));
    }
  }
});

test("a host that the operator allowed is reached over the open network, every other one over the public one", async () => {
  const taken: string[] = [];
  const over = (network: string) => async (url: string | URL | Request) => {
    taken.push(`${network} ${String(url)}`);
    return new Response("here");
  };
  const egress = makeEgress(
    { AOS_EGRESS_ALLOW: "box.internal:8080" },
    { allowed: over("open"), public: over("public") },
  );
  const bounds = { reach: reachOf("FULL", []), signal: new AbortController().signal };
  const urls = ["http://box.internal:8080/", "https://box.example.com/"];
  for (const url of urls) await egress.request({ method: "GET", url, headers: {} }, bounds);
  expect(taken).toEqual([`open ${urls[0]}`, `public ${urls[1]}`]);
});

test("a body that falls silent is what came until then, long before the request's own time is over", async () => {
  vi.useFakeTimers();
  try {
    const begun = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("begun")) });
    const fetch = async () => new Response(begun);
    const egress = makeEgress({}, { allowed: fetch, public: fetch });
    const bounds = { reach: reachOf("FULL", []), signal: new AbortController().signal };
    const request = { method: "GET", url: "https://api.example.com/", headers: {} };
    const answer = egress.request(request, bounds);
    await vi.advanceTimersByTimeAsync(LIMITS.webIdleMs);
    const ended = await Promise.race([answer, Promise.resolve(null)]);
    expect(ended).toMatchObject({ ok: true, value: { complete: false } });
    if (ended?.ok) expect(new TextDecoder().decode(ended.value.bytes)).toBe("begun");
  } finally {
    vi.useRealTimers();
  }
});
