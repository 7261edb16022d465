import { describe, expect, it } from "vitest";
import { costNanoUsd, maxCostNanoUsd } from "../../../kernel/llm/pricing.ts";
import { deepseek } from "../../../kernel/llm/providers/deepseek.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import { usdPerMTok } from "../../../kernel/llm/vendor.ts";

const price = usdPerMTok({ input: 0.15, cached: 0.003, output: 0.6 }, "test");
const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };

describe("the cost of a call", () => {
  it("is exact for prices below one nano-dollar a token", () => {
    expect(costNanoUsd({ ...usage, promptTokens: 1_000, cachedTokens: 1_000 }, price)).toBe(3_000);
    expect(price.cachedInputNanoUsdPerMTok).toBe(3_000_000);
  });

  it("rounds up once a call, not once a token", () => {
    const tiny = usdPerMTok({ input: 0.000_1, cached: 0, output: 0 }, "test");
    expect(costNanoUsd({ ...usage, promptTokens: 1 }, tiny)).toBe(1);
    expect(costNanoUsd({ ...usage, promptTokens: 15 }, tiny)).toBe(2);
    expect(costNanoUsd(usage, tiny)).toBe(0);
  });

  it("counts cached tokens apart from the rest of the prompt", () => {
    const cost = costNanoUsd({ promptTokens: 1_000, cachedTokens: 400, completionTokens: 100 }, price);
    expect(cost).toBe(600 * 150 + 400 * 3 + 100 * 600);
  });

  it("stays exact where doubles do not", () => {
    const dear = usdPerMTok({ input: 30, cached: 0, output: 180 }, "test");
    const million = { promptTokens: 1_048_577, cachedTokens: 0, completionTokens: 131_071 };
    expect(costNanoUsd(million, dear)).toBe(1_048_577 * 30_000 + 131_071 * 180_000);
  });

  it("follows OpenAI's price of writing the cache and of long prompts", () => {
    const luna = openai.models["gpt-6-luna"]?.price ?? price;
    expect(costNanoUsd({ ...usage, promptTokens: 2_000, cacheWriteTokens: 1_000 }, luna)).toBe(
      1_000 * 100 + 1_000 * 125,
    );
    const long = { promptTokens: 300_000, cachedTokens: 0, completionTokens: 1_000 };
    expect(costNanoUsd(long, luna)).toBe(300_000 * 200 + 1_000 * 750);
  });

  it("follows DeepSeek's hours, and takes the dearer price when the hour is not known", () => {
    const flash = deepseek.models["deepseek-flash"]?.price ?? price;
    const call = { ...usage, promptTokens: 1_000 };
    const mondayAt = (hour: number): number => Date.UTC(2026, 10, 23, hour);
    expect([0, 1, 3, 4, 6, 9, 10].map((hour) => costNanoUsd(call, flash, mondayAt(hour)))).toEqual([
      150_000, 300_000, 300_000, 150_000, 300_000, 300_000, 150_000,
    ]);
    expect(costNanoUsd(call, flash, Date.UTC(2026, 10, 22, 2))).toBe(150_000);
    expect(costNanoUsd(call, flash)).toBe(300_000);
  });
});

describe("the bound of a call", () => {
  it("is never below what the call costs in the end", () => {
    for (const { price: real } of [...Object.values(openai.models), ...Object.values(deepseek.models)]) {
      const bound = maxCostNanoUsd(300_000, 2_000, real);
      for (const cacheWriteTokens of [0, 150_000, 300_000]) {
        const used = { promptTokens: 300_000, cachedTokens: 0, cacheWriteTokens, completionTokens: 2_000 };
        expect(bound).toBeGreaterThanOrEqual(costNanoUsd(used, real));
      }
    }
  });
});
