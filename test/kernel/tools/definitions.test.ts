import { describe, expect, test } from "vitest";
import * as z from "zod";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";
import { inputSchema, toolDefinitions } from "../../../kernel/tools/definitions.ts";

type Schema = { properties: Record<string, { description?: string }>; required?: string[] };

const calls = Object.values(SYSCALLS);

describe("the tools that a model is shown", () => {
  test("stand in the same order and the same bytes, however the table was made", () => {
    const shown = JSON.stringify(toolDefinitions(calls));
    expect(JSON.stringify(toolDefinitions([...calls].reverse()))).toBe(shown);
    const names = toolDefinitions(calls).map((tool) => tool.function.name);
    expect(names).toEqual([...names].sort());
  });

  test("are JSON Schema objects that take no other fields, each field described", () => {
    for (const { function: tool } of toolDefinitions(calls)) {
      const schema = tool.parameters as Schema;
      expect(schema, tool.name).toMatchObject({ type: "object", additionalProperties: false });
      expect(schema, tool.name).not.toHaveProperty("$schema");
      for (const [name, field] of Object.entries(schema.properties)) {
        expect(field.description, `${tool.name}.${name}`).toMatch(/\S/);
      }
    }
  });

  test("demand what contract.md demands, and nothing that has a default", () => {
    const required = toolDefinitions(calls).map(({ function: tool }) => [
      tool.name,
      (tool.parameters as Schema).required ?? [],
    ]);
    expect(Object.fromEntries(required)).toEqual({
      ask_person: ["question"],
      calculate: ["expression"],
      code_run: ["code"],
      exit: ["result"],
      file_delete: ["path"],
      file_list: [],
      file_read: ["path"],
      file_write: ["path", "content"],
      http_request: ["url"],
      memory_forget: ["pageId"],
      memory_note: ["content"],
      memory_pin: ["pageId"],
      memory_read: ["pageId"],
      memory_search: ["query"],
      memory_unpin: ["pageId"],
      time_now: [],
      web_fetch: ["url"],
    });
  });

  test("carry no bounds that say nothing", () => {
    expect(inputSchema(z.strictObject({ n: z.int(), m: z.int().min(3).max(9), s: z.string().max(7) }))).toEqual({
      type: "object",
      properties: { n: { type: "integer" }, m: { type: "integer", minimum: 3, maximum: 9 }, s: { type: "string" } },
      required: ["n", "m", "s"],
      additionalProperties: false,
    });
  });

  test("take little of the prompt: under 8,600 bytes for all that the kernel brings", () => {
    expect(JSON.stringify(toolDefinitions(calls)).length).toBeLessThan(8_600);
  });
});
