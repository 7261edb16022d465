import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { LABELS } from "../../../kernel/security/label.ts";
import { type CallContext, EFFECTS, type ToolValue } from "../../../kernel/syscall.ts";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";
import { toolDefinitions } from "../../../kernel/tools/definitions.ts";
import { ToolRegistry, type ToolSpec } from "../../../kernel/tools/registry.ts";
import { Caller } from "../syscalls/calling.ts";

const weather: ToolSpec = {
  name: "weather",
  description: "The weather in a city.",
  input: z.object({ city: z.string() }),
  run: async ({ city }) => ({ city, celsius: 21 }),
};

const { memory, files, clock, outside, sandbox, credentials } = new Caller();
const context: CallContext = {
  ...outside,
  sandbox,
  credentials,
  callId: "call_1",
  process: { id: "agt_1", tenant: "default" },
  clock,
  memory,
  files,
  signal: new AbortController().signal,
};

async function run(registry: ToolRegistry, name: string, input: unknown): Promise<Result<ToolValue>> {
  const call = registry.get(name);
  if (call === undefined || call.effect === "control") throw new Error(`${name} does not run`);
  return call.run(context, call.input.parse(input));
}

/** What a tool whose `run` is this answers. */
async function answerOf(answer: ToolSpec["run"]): Promise<Result<ToolValue>> {
  return run(new ToolRegistry().tool({ ...weather, run: answer }), "weather", { city: "Paris" });
}

describe("a tool registered in code", () => {
  test("runs as one more call of the table, with its input typed", async () => {
    const registry = new ToolRegistry().tool({
      name: "custom_function",
      description: "Doubles.",
      input: z.object({ city: z.string(), times: z.number().default(2) }),
      run: ({ city, times }) => ({ city: city.repeat(times) }),
    });
    expect(await run(registry, "custom_function", { city: "ab" })).toEqual({ ok: true, value: { city: "abab" } });
    expect(Object.keys(registry.table())).toEqual([...Object.keys(SYSCALLS), "custom_function"]);
    expect(registry.get("calculate")).toBe(SYSCALLS["calculate"]);
  });

  test("answers somebody else's text: untrusted, and private", () => {
    const call = new ToolRegistry().tool(weather).get("weather");
    expect(call?.brings?.({ city: "Paris" })).toEqual(LABELS.document);
  });

  test("acts outwards with what the model chose, unless whoever brings it says that it stays inside", () => {
    const registry = new ToolRegistry()
      .tool(weather)
      .tool({ ...weather, name: "look", effect: "pure" })
      .tool({ ...weather, name: "convert", effect: "pure", reach: "inside" });
    const actOf = (name: string) => registry.get(name)?.outward?.({ city: "Paris" }) ?? null;
    expect(actOf("weather")).toEqual({ act: "write", url: null, isBare: false });
    expect(actOf("look")).toEqual({ act: "read", url: null, isBare: false });
    expect(actOf("convert")).toBeNull();
  });

  test("is external, granted by name and bounded in time unless it says otherwise", () => {
    const registry = new ToolRegistry()
      .tool(weather)
      .tool({ ...weather, name: "look", effect: "pure", capability: "tools.read-only", timeoutMs: 500 });
    expect(registry.get("weather")).toMatchObject({
      effect: "external",
      capability: "tools.granted",
      timeoutMs: LIMITS.toolMs,
    });
    expect(registry.get("look")).toMatchObject({ effect: "pure", capability: "tools.read-only", timeoutMs: 500 });
    expect(EFFECTS).toContain(registry.get("look")?.effect);
  });

  test("is shown to the model by its JSON Schema", () => {
    const call = new ToolRegistry().tool(weather).get("weather");
    expect(toolDefinitions(call ? [call] : [])).toMatchObject([
      { function: { name: "weather", parameters: { properties: { city: { type: "string" } }, required: ["city"] } } },
    ]);
  });

  test("knows its call, and gets neither memory nor files", async () => {
    const answer = await answerOf((_, given) => ({ has: Object.keys(given).sort(), key: given.callId }));
    expect(answer).toEqual({
      ok: true,
      value: { has: ["callId", "clock", "process", "signal"], key: "call_1" },
    });
  });

  test.each([
    ["a text", "sunny", { value: "sunny" }],
    ["a list", [1, 2], { value: [1, 2] }],
    ["nothing", undefined, { value: null }],
    ["a date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    ["an object with its own `ok`", { ok: false, why: "rain" }, { value: { ok: false, why: "rain" } }],
  ])("may answer %s", async (_, answer, value) => {
    expect(await answerOf(() => answer)).toEqual({ ok: true, value });
  });

  test("that throws, or answers what JSON cannot carry, has failed in words", async () => {
    const thrown = await answerOf(() => Promise.reject(new Error("no signal")));
    expect(thrown).toEqual({ ok: false, error: { code: "tool_failed", message: "weather failed: no signal" } });
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    for (const answer of [loop, { n: 1n }]) {
      expect(await answerOf(() => answer)).toMatchObject({ ok: false, error: { code: "tool_failed" } });
    }
    const wordy = await answerOf(() => Promise.reject(new Error("x".repeat(1e6))));
    expect(!wordy.ok && wordy.error.message.length).toBeLessThan(2_000);
  });

  test("that answers too much is refused", async () => {
    const answer = await answerOf(() => ({ text: "文".repeat(LIMITS.toolResultBytes / 3) }));
    expect(answer).toMatchObject({ ok: false, error: { code: "too_large" } });
  });
});

describe("the registry refuses", () => {
  test.each(["", "Weather", "1st", "_x", "a-b", "a.b", "a b", "wéather", "x".repeat(65)])("the name %j", (name) => {
    expect(() => new ToolRegistry().tool({ ...weather, name })).toThrow("is no tool name");
  });

  test("a name that is taken, also by the kernel", () => {
    const registry = new ToolRegistry().tool(weather);
    expect(() => registry.tool(weather)).toThrow("There is a tool weather already");
    expect(() => registry.tool({ ...weather, name: "exit" })).toThrow("There is a tool exit already");
    expect(registry.register(weather)).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(registry.tool({ ...weather, name: "constructor" }).get("constructor")?.name).toBe("constructor");
  });

  test("a tool without words, with a bad deadline, or with an input that JSON does not have", () => {
    const registry = new ToolRegistry();
    expect(() => registry.tool({ ...weather, description: " " })).toThrow("has no description");
    for (const timeoutMs of [0, -1, 0.5, Number.NaN]) {
      expect(() => registry.tool({ ...weather, timeoutMs })).toThrow("timeoutMs");
    }
    expect(() => registry.tool({ ...weather, input: z.object({ at: z.date() }) })).toThrow("has no JSON Schema");
    expect(() => registry.tool({ ...weather, input: z.string() as never })).toThrow("not a z.object");
    expect(registry.get("weather")).toBeUndefined();
  });

  test("more tools than it has room for, until one is taken back", () => {
    const registry = new ToolRegistry();
    for (let i = 0; i < LIMITS.toolsMax; i++) registry.tool({ ...weather, name: `tool_${i}` });
    expect(() => registry.tool(weather)).toThrow("no room");
    expect([registry.remove("tool_0"), registry.remove("exit")]).toEqual([true, false]);
    expect(registry.tool(weather).get("exit")).toBe(SYSCALLS["exit"]);
  });
});
