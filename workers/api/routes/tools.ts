import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { CAPABILITIES } from "../../../kernel/security/levels.ts";
import { EFFECTS } from "../../../kernel/syscall.ts";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";
import type { AppEnv } from "../context.ts";
import { needs } from "../roles.ts";
import { failures, json, listOf } from "../route.ts";

const tool = z
  .object({
    name: z.string(),
    description: z.string(),
    capability: z.enum(CAPABILITIES).meta({ description: "What a process's level must allow." }),
    effect: z.enum([...EFFECTS, "by-input", "control"]).meta({
      description: "What a crash may leave behind: see kernel/syscall.ts. `by-input` = it depends on the call.",
    }),
    timeoutMs: z.int(),
    inputSchema: z.record(z.string(), z.unknown()).meta({ description: "JSON Schema of the arguments." }),
  })
  .meta({ id: "Tool" });

const list = createRoute({
  method: "get",
  path: "/v1/tools",
  security: needs("viewer"),
  tags: ["tools"],
  summary: "The tools that models may be offered",
  responses: { 200: json(listOf(tool).meta({ id: "ToolList" }), "All of them."), ...failures },
});

export function tools(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, (c) => {
    const items = Object.values(SYSCALLS).map(({ name, description, capability, effect, timeoutMs, input }) => {
      return { name, description, capability, effect, timeoutMs, inputSchema: { ...z.toJSONSchema(input) } };
    });
    return c.json({ items, nextCursor: null }, 200);
  });
}
