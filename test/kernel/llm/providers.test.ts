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
    expect(
      providers({})
        .list()
        .map(({ id }) => id),
    ).toEqual(["local/reader"]);
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

  it("promise no more of Ollama than its /v1 surface keeps", () => {
    const found = providers({ OLLAMA_BASE_URL: "http://localhost:11434" }).get("ollama/qwen3:8b");
    expect(found.ok && found.value.info.contextTokens).toBe(4_096);
  });
});

describe("a bad variable", () => {
  it.each([
    ["OPENAI_BASE_URL", "my-models.test", "http or https URL"],
    ["OLLAMA_BASE_URL", "ftp://host", "http or https URL"],
    ["AOS_DEFAULT_MODEL", "just-a-name", "provider/model"],
    ["OPENAI_API_KEY", "two words", "a key"],
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
