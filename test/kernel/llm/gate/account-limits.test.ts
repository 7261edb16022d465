import { describe, expect, test } from "vitest";
import { ACCOUNTS, limitsOf, limitsText } from "../../../../kernel/llm/gate/account-limits.ts";

describe("the limits of an account", () => {
  test("are what the operator says over the defaults", () => {
    expect(limitsOf("openai", {})).toEqual(ACCOUNTS.openai);
    expect(limitsOf("openai", { OPENAI_LIMITS: "concurrency=8, requestsPerMinute=600" })).toEqual({
      concurrency: 8,
      requestsPerMinute: 600,
      tokensPerMinute: null,
    });
    expect(limitsOf("kimi", { OPENAI_LIMITS: "concurrency=8" })).toEqual(ACCOUNTS.kimi);
  });

  test.each([
    "8",
    "concurrency",
    "concurrency=",
    "concurrency=0",
    "concurrency=1.5",
    "calls=8",
    "concurrency=8,concurrency=9",
  ])("refuse %s", (text) => {
    expect(limitsText.safeParse(text).success).toBe(false);
  });
});
