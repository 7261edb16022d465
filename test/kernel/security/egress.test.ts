import { expect, test } from "vitest";
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
