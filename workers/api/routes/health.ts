import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { systemClock } from "../../../durable-objects/ports.ts";
import type { AppEnv } from "../context.ts";
import { json } from "../route.ts";
import { VERSION } from "../version.ts";

const show = createRoute({
  method: "get",
  path: "/health",
  tags: ["kernel"],
  summary: "Whether the kernel answers",
  security: [],
  responses: {
    200: json(
      z.object({ ok: z.literal(true), version: z.string(), time: z.iso.datetime() }).meta({ id: "Health" }),
      "It does.",
    ),
  },
});

export function health(app: OpenAPIHono<AppEnv>): void {
  app.openapi(show, (c) =>
    c.json({ ok: true as const, version: VERSION, time: new Date(systemClock.now()).toISOString() }, 200),
  );
}
