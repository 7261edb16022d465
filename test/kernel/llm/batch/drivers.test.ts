import { describe, expect, test } from "vitest";
import { BatchDrivers } from "../../../../kernel/llm/batch/drivers.ts";
import { makeProviders } from "../../../../kernel/llm/providers.ts";
import { TestClock } from "../../../support/ports.ts";

const ENV = { OPENAI_API_KEY: "test-openai", KIMI_API_KEY: "test-kimi", DEEPSEEK_API_KEY: "test-deepseek" };

function choose(model: string, pooled: string[] = []) {
  const nothing = () => Promise.reject(new Error("choosing takes no network"));
  const ports = { fetch: nothing, clock: new TestClock(), enter: nothing };
  const chosen = new BatchDrivers(ENV, makeProviders(ENV, ports.fetch, ports.clock), ports).of(model, pooled);
  if (!chosen.ok) return chosen.error.code;
  const { kind, price } = chosen.value;
  return [kind, price.inputNanoUsdPerMTok, price.cachedInputNanoUsdPerMTok, price.outputNanoUsdPerMTok];
}

/** Prices are written out here as the vendors publish them, so that a wrong factor cannot check itself. */
describe("a model's requests", () => {
  test("go to OpenAI's Batch API at half price", () => {
    expect(choose("openai/gpt-5.4-mini")).toEqual(["vendor", 375_000_000, 37_500_000, 2_250_000_000]);
  });

  test("go to Kimi's at six tenths, for the models that it takes", () => {
    expect(choose("kimi/kimi-k2.6")).toEqual(["vendor", 570_000_000, 96_000_000, 2_400_000_000]);
    expect(choose("kimi/kimi-k3")).toEqual(["pool", 3_000_000_000, 300_000_000, 15_000_000_000]);
  });

  test("go to the pool at the usual price where there is no Batch API", () => {
    expect(choose("deepseek/deepseek-flash")).toEqual(["pool", 150_000_000, 3_000_000, 600_000_000]);
    expect(choose("openai/gpt-5.4-mini", ["openai"])).toEqual(["pool", 750_000_000, 75_000_000, 4_500_000_000]);
    expect(choose("nobody/model")).toBe("unknown_model");
  });
});
