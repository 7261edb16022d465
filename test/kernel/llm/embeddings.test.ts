import { describe, expect, test } from "vitest";
import { Embedders } from "../../../kernel/llm/embeddings/embedders.ts";
import { decodeVector, encodeVector } from "../../../kernel/llm/embeddings/vector.ts";
import { TestClock } from "../../support/ports.ts";

/** What vendors may answer who are asked for vectors, and what the kernel makes of it. */

const KEY = "sk-secret-of-the-operator";

async function embed(answer: () => Response | Promise<Response>, input = ["a", "b"]) {
  const fetch = async () => answer();
  const served = new Embedders({ OPENAI_API_KEY: KEY }, { fetch, clock: new TestClock() }).get(
    "openai/text-embedding-3-small",
  );
  if (!served.ok) throw new Error(served.error.message);
  const { embedder, model } = served.value;
  return embedder.embed({ model, input }, { signal: new AbortController().signal });
}

function listOf(...embeddings: unknown[]) {
  return { data: embeddings.map((embedding, index) => ({ index, embedding })), usage: { prompt_tokens: 2 } };
}

describe("vectors", () => {
  test("are the same after the way through base64", () => {
    const numbers = [0.5, -1, 0.0078125, 0];
    expect(decodeVector(encodeVector(numbers))).toEqual(numbers);
    // Written out, so that a wrong order of bytes cannot check itself.
    expect(encodeVector([1])).toBe("AACAPw==");
  });

  test("are none where the base64 is wrong or no whole numbers", () => {
    expect(["", "AACA", "%%%%"].map(decodeVector)).toEqual([null, null, null]);
  });
});

describe("an answer", () => {
  test("may hold numbers although base64 was asked for, in any order", async () => {
    const { data, usage } = listOf([1, 0], "AACAPwAAAAA=");
    const outcome = await embed(() => Response.json({ data: data.toReversed(), usage }));
    expect(outcome).toMatchObject({ ok: true, reply: { vectors: ["AACAPwAAAAA=", "AACAPwAAAAA="] } });
  });

  test("without a count is billed at its upper bound", async () => {
    const { data } = listOf([1], [1]);
    const outcome = await embed(() => Response.json({ data }));
    expect(outcome).toMatchObject({ ok: true, reply: { usage: { promptTokens: 10, estimated: true } } });
  });

  test.each([
    ["too few vectors", listOf([1])],
    ["vectors of different lengths", listOf([1], [1, 2])],
    ["a vector that is empty", listOf([], [])],
    ["a doubled place", { data: [1, 1].map((n) => ({ index: 0, embedding: [n] })) }],
    ["something else", ["not", "vectors"]],
  ])("with %s is not understood, and may have been billed", async (_, body) => {
    const outcome = await embed(() => Response.json(body));
    expect(outcome).toMatchObject({ ok: false, billed: "unknown", error: { code: "provider_malformed" } });
  });

  test("that was cut in its middle is no answer", async () => {
    const outcome = await embed(() => new Response(JSON.stringify(listOf([1], [1])).slice(0, -9)));
    expect(outcome).toMatchObject({ ok: false, billed: "unknown", error: { code: "provider_truncated" } });
  });

  test("that repeats the key loses it", async () => {
    const error = { message: `${KEY} asked for too much` };
    const outcome = await embed(() => Response.json({ error }, { status: 400 }));
    expect(outcome).toMatchObject({ ok: false, billed: "none", error: { code: "provider_rejected" } });
    expect(JSON.stringify(outcome)).not.toContain(KEY);
  });
});

describe("a model", () => {
  const get = (env: Record<string, string>, name: string) => {
    const fetch = () => Promise.reject(new Error("choosing takes no network"));
    const served = new Embedders(env, { fetch, clock: new TestClock() }).get(name);
    return served.ok ? served.value.info.price.inputNanoUsdPerMTok : served.error.code;
  };

  test("has the vendor's price, the operator's, or none on a machine of the operator's", () => {
    const prices = { AOS_MODEL_PRICES: "openai/own-embed=0.5:0:0" };
    const local = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
    expect(get({ OPENAI_API_KEY: KEY }, "openai/text-embedding-3-large")).toBe(130_000_000);
    expect(get({ OPENAI_API_KEY: KEY, ...prices }, "openai/own-embed")).toBe(500_000_000);
    expect(get(local, "openai/own-embed")).toBe(0);
    expect(get({ OLLAMA_BASE_URL: "http://127.0.0.1:9" }, "ollama/nomic-embed-text")).toBe(0);
  });

  test("that nobody answers for is refused", () => {
    expect(get({ OPENAI_API_KEY: KEY }, "openai/own-embed")).toBe("unknown_model");
    expect(get({ DEEPSEEK_API_KEY: KEY }, "deepseek/deepseek-flash")).toBe("unknown_model");
    expect(get({}, "openai/text-embedding-3-small")).toBe("unknown_model");
  });
});
