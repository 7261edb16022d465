import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { httpFailure, networkFailure, streamFailure } from "../../../kernel/llm/classify.ts";
import { OpenAiCompatible } from "../../../kernel/llm/openai-compatible.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import { retryAfterMs } from "../../../kernel/llm/retry-after.ts";

const account = { name: "kimi", variable: "KIMI_API_KEY", baseUrl: "https://api.moonshot.ai/v1" };
const NOW = Date.UTC(2026, 0, 1, 12);

function status(code: number, error: object, headers: Record<string, string> = {}) {
  return httpFailure({ status: code, headers: new Headers(headers), body: { error } }, account, NOW);
}

describe("an error of a vendor", () => {
  it("is a matter of money when the quota is spent, in the words of every vendor", () => {
    const spent = [
      status(429, { code: "insufficient_quota", message: "You exceeded your current quota" }),
      status(429, { type: "exceeded_current_quota_error", message: "Your account is suspended" }),
      status(402, { message: "Insufficient Balance" }),
      status(429, { message: "Your project reached its monthly spend limit" }),
    ];
    for (const { error, retryable, billed } of spent) {
      expect([error.code, retryable, billed]).toEqual(["provider_balance", false, "none"]);
      expect(error.retryAfterMs).toBeUndefined();
    }
  });

  it("is a matter of patience when only the rate is too high", () => {
    const limited = status(429, { message: "Rate limit reached for requests" }, { "retry-after": "2" });
    expect(limited).toMatchObject({ error: { code: "provider_rate_limited", retryAfterMs: 2_000 }, retryable: true });
  });

  it("is a prompt that is too long, in the words of every vendor", () => {
    const long = [
      "This model's maximum context length is 128000 tokens",
      "Invalid request: Your request exceeded model token limit: 262144",
      "the request exceeds the available context size",
      "the input length exceeds the context length",
    ];
    for (const message of long) expect(status(400, { message }).error.code).toBe("context_overflow");
    expect(status(500, { message: "exceeds the available context size" })).toMatchObject({ retryable: false });
  });

  it("is a model that nobody has, in the words of every vendor", () => {
    const missing: [number, string][] = [
      [404, "The model `x` does not exist or you do not have access to it."],
      [400, "Model Not Exist"],
      [404, "Not found the model x or Permission denied"],
      [404, "model 'x' not found"],
    ];
    for (const [code, message] of missing) expect(status(code, { message }).error.code).toBe("unknown_model");
  });

  it("is a refusal that a repetition does not cure otherwise", () => {
    expect(status(422, { message: "Invalid parameter: top_p" })).toMatchObject({
      error: { code: "provider_rejected" },
      retryable: false,
    });
  });

  it("costs nothing when a proxy says that it never reached the vendor, and is in doubt when it may have", () => {
    for (const code of [521, 525, 526]) expect(status(code, {})).toMatchObject({ retryable: true, billed: "none" });
    for (const code of [500, 502, 504, 520, 522, 524]) {
      expect(status(code, {})).toMatchObject({ retryable: true, billed: "unknown" });
    }
  });

  it("waits as long as the vendor asks when it is overloaded", () => {
    const busy = status(503, {}, { "retry-after": "30" });
    expect(busy).toMatchObject({ error: { code: "provider_unavailable", retryAfterMs: 30_000 }, billed: "none" });
  });

  it("shows at most so much of what the vendor said", () => {
    expect(status(400, { message: "x".repeat(10_000) }).error.message.length).toBeLessThan(
      LIMITS.modelErrorChars + 200,
    );
  });

  it("loses the key before it is cut, so that no half of one stays", async () => {
    const apiKey = "key-of-kimi-0123456789abcdefghijklmnopqrstuv";
    for (let shown = 0; shown <= apiKey.length; shown += 11) {
      const message = `${"x".repeat(LIMITS.modelErrorChars - 1 - shown)} ${apiKey} is not to be shown`;
      const provider = new OpenAiCompatible(openai, {
        baseUrl: "http://models.example/v1",
        apiKey,
        fetch: async () => Response.json({ error: { message } }, { status: 400 }),
        clock: { now: () => NOW },
      });
      const request = { model: "m", messages: [], tools: [], maxOutputTokens: 50 };
      const outcome = await provider.chat(request, { signal: new AbortController().signal });
      expect(outcome.ok ? "" : outcome.error.message).not.toContain(apiKey.slice(0, 5));
    }
  });

  it("inside a stream is judged by its words, and may have been billed", () => {
    const said = (code: string, message: string) => streamFailure({ message, type: "", code }, account);
    expect(said("429", "slow down").error.code).toBe("provider_rate_limited");
    expect(said("rate_limit_exceeded", "").error.code).toBe("provider_rate_limited");
    expect(said("insufficient_quota", "").retryable).toBe(false);
    expect(said("", "The server had an error")).toMatchObject({ retryable: true, billed: "unknown" });
  });

  it("costs nothing when the name of the host does not resolve", () => {
    const error = new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }) });
    expect(networkFailure(error, account)).toMatchObject({ billed: "none", retryable: true });
    expect(networkFailure(new Error("Network connection lost."), account).billed).toBe("unknown");
  });
});

describe("Retry-After", () => {
  const wait = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

  it("is taken in seconds and in milliseconds", () => {
    expect(wait({ "retry-after": "1.5" })).toBe(1_500);
    expect(wait({ "retry-after-ms": "250", "retry-after": "9" })).toBe(250);
  });

  it("is taken as a date, by the vendor's clock where it shows one", () => {
    expect(wait({ "retry-after": new Date(NOW + 4_000).toUTCString() })).toBe(4_000);
    const date = new Date(NOW - 3_600_000);
    expect(wait({ date: date.toUTCString(), "retry-after": new Date(+date + 5_000).toUTCString() })).toBe(5_000);
  });

  it("is never negative, never longer than the limit, and ignored when it is nonsense", () => {
    expect(wait({ "retry-after": new Date(NOW - 9_000).toUTCString() })).toBe(0);
    expect(wait({ "retry-after": "999999999" })).toBe(LIMITS.retryAfterMaxMs);
    expect(wait({ "retry-after": "soon" })).toBeUndefined();
    expect(wait({})).toBeUndefined();
  });
});
