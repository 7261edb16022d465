import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { ModelOffers } from "../../../kernel/llm/model-offers.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import { TestClock } from "../../support/ports.ts";

/** What vendors list, beside what the tables know. */

type Answer = () => Response;

/** A kernel whose vendors answer with `answer`, and how often they were asked. */
function kernel(env: Record<string, string>, answer: { now: Answer }) {
  const clock = new TestClock();
  const asked: string[] = [];
  const fetch = async (input: string | URL | Request) => {
    asked.push(input instanceof Request ? input.url : String(input));
    return answer.now();
  };
  const offers = new ModelOffers(clock);
  return { clock, asked, listings: () => makeProviders(env, fetch, clock).listings(offers) };
}

const ids =
  (...names: string[]): Answer =>
  () =>
    Response.json({ data: names.map((id) => ({ id })) });

describe("the list of models", () => {
  it("is the embedded reader alone when nothing is configured, and asks nobody", async () => {
    const { listings, asked } = kernel({}, { now: ids() });
    const [local, ...others] = await listings();
    expect(local?.models.map(({ id }) => id)).toEqual(["local/reader"]);
    expect([others, asked]).toEqual([[], []]);
  });

  it("is the vendor's: new models with a known price are served, those without are named apart", async () => {
    const answer = { now: ids("gpt-6-luna", "gpt-6-luna-2026-10-01", "gpt-9", "gpt-10") };
    const env = { OPENAI_API_KEY: "k", AOS_MODEL_PRICES: "openai/gpt-9=1:0.1:4" };
    const [openai] = await kernel(env, answer).listings();
    expect(openai?.models.map(({ id }) => id)).toEqual([
      "openai/gpt-6-luna",
      "openai/gpt-6-luna-2026-10-01",
      "openai/gpt-9",
    ]);
    expect([openai?.unpriced, openai?.error]).toEqual([["gpt-10"], null]);
  });

  it("takes the vendor's word for a shorter window", async () => {
    const now = () => Response.json({ data: [{ id: "kimi-k2.6", context_length: 131_072 }] });
    const [kimi] = await kernel({ KIMI_API_KEY: "k" }, { now }).listings();
    expect(kimi?.models[0]?.contextTokens).toBe(131_072);
  });

  it("is kept for a while, then read again", async () => {
    const { clock, asked, listings } = kernel({ DEEPSEEK_API_KEY: "k" }, { now: ids("deepseek-flash") });
    await listings();
    clock.advance(LIMITS.modelListTtlMs - 1);
    await listings();
    expect(asked).toHaveLength(1);
    clock.advance(1);
    await listings();
    expect(asked).toHaveLength(2);
  });

  it.each([
    ["refuses", () => new Response("no", { status: 503 })],
    ["sends nonsense", () => Response.json({ models: 7 })],
    ["is not there", () => Promise.reject(new TypeError("fetch failed")) as never],
  ])("is the table's while the vendor %s, and is tried again soon", async (_, now: Answer) => {
    const answer = { now };
    const { clock, listings } = kernel({ DEEPSEEK_API_KEY: "k" }, answer);
    const [table] = await listings();
    expect(table?.models.map(({ id }) => id)).toEqual(["deepseek/deepseek-flash", "deepseek/deepseek-v4-pro"]);
    expect(table?.error).not.toBeNull();
    answer.now = ids("deepseek-flash");
    clock.advance(LIMITS.modelListRetryMs);
    const [vendor] = await listings();
    expect([vendor?.models.length, vendor?.error]).toEqual([1, null]);
  });
});
