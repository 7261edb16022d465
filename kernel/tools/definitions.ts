import * as z from "zod";
import type { ToolDefinition } from "../llm/chat.ts";
import type { Syscall } from "../syscall.ts";

/**
 * Calls as the model is shown them. Ordered by name, whatever the order of their making: the definitions open every prompt,
 * and vendors' prefix caches hit only while its first bytes stay the same.
 */
export function toolDefinitions(calls: Iterable<Syscall>): ToolDefinition[] {
  return [...calls].sort((a, b) => (a.name < b.name ? -1 : 1)).map(definition);
}

function definition({ name, description, input }: Syscall): ToolDefinition {
  return { type: "function", function: { name, description, parameters: inputSchema(input) } };
}

/** JSON Schema of what may be sent: optional where there is a default. Throws for a type that JSON does not have. */
export function inputSchema(input: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: "input", override: withoutNoise });
  return schema;
}

interface Bounds {
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

/** Bounds that say nothing (those of JavaScript's integers) or that no model can count cost tokens in every prompt. */
function withoutNoise({ jsonSchema }: { jsonSchema: Bounds }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  delete jsonSchema.minLength;
  delete jsonSchema.maxLength;
}
