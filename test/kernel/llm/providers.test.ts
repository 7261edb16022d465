import { describe, expect, it } from "vitest";
import { parseEnv } from "../../../kernel/llm/env.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";

const offline = () => Promise.reject(new Error("no network in this test"));
const providers = (env: Record<string, string>) => makeProviders(env, offline);

function message(env: Record<string, string>, name: string): string {
  const found = providers(env).get(name);
  return found.ok ? "served" : `${found.error.code}: ${found.error.message}`;
}

describe("the models of a kernel", () => {
  it("are the embedded reader alone when nothing is configured", () => {
    expect(providers({}).defaultModel).toBe("local/reader");
  });

  it("begin with the first configured provider, unless the operator names a default", () => {
    const env = { KIMI_API_KEY: "k1", DEEPSEEK_API_KEY: "k2" };
    expect(providers(env).defaultModel).toBe("deepseek/deepseek-flash");
    expect(providers({ ...env, AOS_DEFAULT_MODEL: "kimi/kimi-k2.6" }).defaultModel).toBe("kimi/kimi-k2.6");
    expect(providers({ MOONSHOT_API_KEY: "k" }).defaultModel).toBe("kimi/kimi-k2.6");
  });

  it("say what to set when a provider is missing, and who is there", () => {
    expect(message({}, "openai/gpt-5")).toMatch(/^unknown_model: .*OPENAI_API_KEY.*Configured: local\./);
    expect(message({ OPENAI_API_KEY: "k" }, "ollama/qwen3")).toContain("OLLAMA_BASE_URL");
    expect(message({ OPENAI_API_KEY: "k" }, "nobody/x")).toContain("Configured: openai, local.");
    expect(message({}, "gpt-5")).toContain("provider/model");
  });

  it("are only those with a known price at a vendor's own endpoint", () => {
    expect(message({ OPENAI_API_KEY: "k" }, "openai/gpt-99")).toMatch(/^unknown_model/);
    expect(message({ OPENAI_API_KEY: "k" }, "openai/gpt-4o-mini-2024-07-18")).toBe("served");
    expect(message({ OPENAI_API_KEY: "k" }, "openai/constructor")).toMatch(/^unknown_model/);
  });

  it("are any, free of charge, at an endpoint of the operator, which may need no key", () => {
    const found = providers({ OPENAI_BASE_URL: "http://127.0.0.1:1234/v1" }).get("openai/my/model");
    expect(found.ok && found.value.model).toBe("my/model");
    expect(found.ok && found.value.info).toMatchObject({
      id: "openai/my/model",
      contextTokens: 128_000,
      price: { inputNanoUsdPerMTok: 0, outputNanoUsdPerMTok: 0, version: "operator-endpoint" },
    });
  });

  it("have at Ollama the window that the operator's machine has memory for", () => {
    const env = { OLLAMA_BASE_URL: "http://localhost:11434/v1" };
    const window = (more: Record<string, string>) => {
      const found = providers({ ...env, ...more }).get("ollama/qwen3:8b");
      return found.ok ? found.value.info.contextTokens : 0;
    };
    expect(window({})).toBe(16_384);
    expect(window({ OLLAMA_CONTEXT_TOKENS: "65536" })).toBe(65_536);
    expect(window({ AOS_MODEL_PRICES: "ollama/qwen3:8b=0:0:0:8192" })).toBe(8_192);
  });
});

describe("the price of a model", () => {
  const price = (env: Record<string, string>, name: string) => {
    const found = providers(env).get(name);
    if (!found.ok) return found.error.code;
    const { inputNanoUsdPerMTok, outputNanoUsdPerMTok, version } = found.value.info.price;
    return [inputNanoUsdPerMTok / 1e9, outputNanoUsdPerMTok / 1e9, version];
  };
  const KEYED = { OPENAI_API_KEY: "k" };

  it("is never free by accident: nothing, only on the operator's own machines", () => {
    const at = (host: string) => ({ ...KEYED, OPENAI_BASE_URL: `http://${host}/v1` });
    for (const host of ["localhost:8000", "127.0.0.1:1", "10.1.2.3", "vllm:8000", "gpu.internal", "[::1]:8000"]) {
      expect(price(at(host), "openai/any")).toEqual([0, 0, "operator-endpoint"]);
    }
    for (const host of ["openrouter.ai/api", "8.8.8.8", "172.32.0.1", "localhost.evil.com", "[2606:4700::1]"]) {
      expect(price(at(host), "openai/any")).toBe("unknown_model");
    }
  });

  it("is the operator's word where it is set, for one model or all others", () => {
    const env = { ...KEYED, AOS_MODEL_PRICES: "openai/gpt-99=1.5:0.15:6:400000, openai/*=2:2:8" };
    expect(price(env, "openai/gpt-99")).toEqual([1.5, 6, "AOS_MODEL_PRICES"]);
    expect(price(env, "openai/gpt-100")).toEqual([2, 8, "AOS_MODEL_PRICES"]);
    const found = providers(env).get("openai/gpt-99");
    expect(found.ok && found.value.info).toMatchObject({ contextTokens: 400_000, maxOutputTokens: 100_000 });
  });

  it("is not the table's where the vendor bills in another currency", () => {
    const env = { KIMI_API_KEY: "k", KIMI_BASE_URL: "https://api.moonshot.cn/v1" };
    expect(price(env, "kimi/kimi-k2.6")).toBe("unknown_price");
    expect(message(env, "kimi/kimi-k2.6")).toContain("AOS_MODEL_PRICES=kimi/kimi-k2.6=");
    expect(price({ ...env, AOS_MODEL_PRICES: "kimi/kimi-k2.6=0.9:0.15:3.8" }, "kimi/kimi-k2.6")).toEqual([
      0.9,
      3.8,
      "AOS_MODEL_PRICES",
    ]);
  });
});

describe("a bad variable", () => {
  it.each([
    ["OPENAI_BASE_URL", "my-models.test", "http or https URL"],
    ["OLLAMA_BASE_URL", "ftp://host", "http or https URL"],
    ["AOS_DEFAULT_MODEL", "just-a-name", "provider/model"],
    ["OPENAI_API_KEY", "two words", "a key"],
    ["OLLAMA_CONTEXT_TOKENS", "32k", "a number of tokens"],
    ["AOS_MODEL_PRICES", "openai/gpt-99=1", "input:cached:output"],
  ])("%s is named in one line with what it takes, and not repeated", (name, value, takes) => {
    const parsed = parseEnv({ [name]: value });
    const line = parsed.ok ? "" : parsed.error.message;
    expect(line.startsWith(`${name} takes `)).toBe(true);
    expect(line).toContain(takes);
    expect(line).not.toContain("\n");
    expect(line).not.toContain(value);
  });

  it("is none when it is empty", () => {
    expect(parseEnv({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "  " })).toEqual({ ok: true, value: {} });
  });
});
