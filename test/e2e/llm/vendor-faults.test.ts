import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelServer } from "../../support/model-server/client.ts";
import type { Fault, ScriptedReply } from "../../support/model-server/script.ts";
import { chat, failureOf, KEY, providerAt, replyOf, requestFor, TOOL, VENDORS, WRONG_KEY } from "./vendor-rig.ts";

/** Every fault of a vendor (goal R7), in every vendor's shapes: classified once, and no part of a reply taken for the whole. */

const TEXT = "Paris is the capital of France, and has been for centuries.";
/** Of a reply that hangs: the only waits that these tests wait out. */
const SHORT_MS = 250;
/** What a reply of 20 MB exceeds. */
const HUGE = 20 * 1024 * 1024;

let server: ModelServer;
beforeAll(async () => {
  server = await ModelServer.start();
});
afterAll(() => server.stop());

const UNAVAILABLE = { code: "provider_unavailable", retryable: true } as const;
const TRUNCATED = { code: "provider_truncated", retryable: true, billed: "unknown" } as const;
const MALFORMED = { code: "provider_malformed", retryable: true, billed: "unknown" } as const;

const REFUSED: [string, Fault, object][] = [
  ["500", { kind: "status", status: 500 }, { ...UNAVAILABLE, billed: "unknown" }],
  ["502", { kind: "status", status: 502 }, { ...UNAVAILABLE, billed: "unknown" }],
  ["503", { kind: "status", status: 503 }, { ...UNAVAILABLE, billed: "none" }],
  ["529", { kind: "status", status: 529 }, { ...UNAVAILABLE, billed: "none" }],
  ["a spend cap", { kind: "spend_cap" }, { code: "provider_balance", retryable: false, billed: "none" }],
  [
    "a parameter that it does not take",
    { kind: "status", status: 422, message: "Invalid parameter: top_p" },
    { code: "provider_rejected", retryable: false, billed: "none" },
  ],
];

const CUT: [string, Fault, object][] = [
  ["a clean FIN in the middle", { kind: "fin", afterChunks: 2 }, TRUNCATED],
  ["a clean FIN before the first word", { kind: "fin", afterChunks: 0 }, TRUNCATED],
  ["a reset connection", { kind: "rst", afterChunks: 2 }, TRUNCATED],
  ["no terminal event", { kind: "no_terminal_event" }, TRUNCATED],
  ["garbage for JSON", { kind: "garbage", afterChunks: 2 }, MALFORMED],
  ["JSON of another kind", { kind: "wrong_json" }, MALFORMED],
  ["a web page", { kind: "html" }, MALFORMED],
  [
    "an error in the middle of a stream",
    { kind: "error_in_stream", afterChunks: 2, message: "the runner has stopped" },
    { ...UNAVAILABLE, billed: "unknown" },
  ],
];

describe.each(VENDORS)("$name", (vendor) => {
  const ask = async (reply: ScriptedReply, deadlines = {}) => {
    await server.script({ queue: [reply] });
    return chat(providerAt(server, vendor, deadlines), requestFor(vendor));
  };

  it.each(REFUSED)("refuses with %s", async (_, fault, verdict) => {
    expect(failureOf(await ask({ fault }))).toEqual(verdict);
  });

  it.each(["seconds", "date"] as const)("limits the rate and says for how long, in %s", async (as) => {
    const outcome = await ask({ fault: { kind: "rate_limit", retryAfterSeconds: 7, as } });
    expect(failureOf(outcome)).toEqual({ code: "provider_rate_limited", retryable: true, billed: "none" });
    expect(!outcome.ok && outcome.error.retryAfterMs).toBe(7_000);
  });

  it.each(CUT)("breaks a reply by %s", async (_, fault, verdict) => {
    expect(failureOf(await ask({ text: TEXT, fault }))).toEqual(verdict);
  });

  it("hangs before the headers", async () => {
    const outcome = await ask({ fault: { kind: "hang_headers" } }, { headersMs: SHORT_MS });
    expect(failureOf(outcome)).toEqual({ ...UNAVAILABLE, billed: "unknown" });
  });

  it("hangs in the middle of a stream", async () => {
    const outcome = await ask({ text: TEXT, fault: { kind: "hang_stream", afterChunks: 2 } }, { idleMs: SHORT_MS });
    expect(failureOf(outcome)).toEqual(TRUNCATED);
  });

  it("drips a byte at a time, until the call's deadline", async () => {
    const outcome = await ask({ text: TEXT, fault: { kind: "drip", everyMs: 20 } }, { totalMs: 2 * SHORT_MS });
    expect(failureOf(outcome)).toEqual({ code: "deadline_exceeded", retryable: true, billed: "unknown" });
  });

  it("sends a reply of 20 MB, which is not tried again", async () => {
    const outcome = await ask({ text: TEXT, fault: { kind: "huge", bytes: HUGE } });
    expect(failureOf(outcome)).toEqual({ ...MALFORMED, retryable: false });
  });

  it("sends its terminal event twice, and the reply counts once", async () => {
    const reply = replyOf(await ask({ text: TEXT, fault: { kind: "doubled_end" } }));
    expect([reply.content, reply.finishReason]).toEqual([TEXT, "stop"]);
  });

  it("writes wrong arguments for a tool, which reach the tool's own check as they are", async () => {
    await server.script({ queue: [{ toolCalls: [{ name: "calculate", arguments: '{"expression": 2+' }] }] });
    const reply = replyOf(await chat(providerAt(server, vendor), { ...requestFor(vendor), tools: [TOOL] }));
    const [call] = reply.toolCalls;
    expect(vendor.completions ? call?.function.arguments : JSON.parse(call?.function.arguments ?? "").text).toBe(
      '{"expression": 2+',
    );
  });

  it("does not know the model", async () => {
    const request = { ...requestFor(vendor), model: "no-such-model" };
    const outcome = await chat(providerAt(server, vendor), request);
    expect(failureOf(outcome)).toEqual({ code: "unknown_model", retryable: false, billed: "none" });
  });
});

describe.each(VENDORS.filter(({ completions }) => completions))("the key of $name", (vendor) => {
  it("is not printed when it is wrong: the variable to set is", async () => {
    const provider = providerAt(server, vendor, {}, WRONG_KEY);
    const outcome = await chat(provider, requestFor(vendor));
    expect(failureOf(outcome)).toEqual({ code: "provider_auth", retryable: false, billed: "none" });
    expect(!outcome.ok && outcome.error.message).toContain(`Set ${vendor.variable}`);
    const offered = await provider.offered(AbortSignal.timeout(10_000));
    expect(!offered.ok && offered.error.message).toContain(`Set ${vendor.variable}`);
    expect(JSON.stringify([outcome, offered])).not.toContain(WRONG_KEY);
  });

  it("is not printed when the vendor repeats it in an error", async () => {
    await server.script({ queue: [{ fault: { kind: "status", status: 400, message: `no luck with ${KEY}` } }] });
    const outcome = await chat(providerAt(server, vendor), requestFor(vendor));
    expect(failureOf(outcome).code).toBe("provider_rejected");
    expect(JSON.stringify(outcome)).not.toContain(KEY);
  });
});
