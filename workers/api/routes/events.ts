import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { ok } from "../../../kernel/errors.ts";
import { answer } from "../../objects.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { problem } from "../problem.ts";
import { needs } from "../roles.ts";
import { agentParams, failures, numeric } from "../route.ts";
import { refusal, upgrade } from "../watch-socket.ts";

const sequence = z.int().min(0).optional();

const watch = createRoute({
  method: "get",
  path: "/v1/agents/{id}/events",
  security: needs("viewer"),
  tags: ["events"],
  summary: "Watch an agent: its log, then what happens live",
  description:
    "Server-Sent Events; with `Upgrade: websocket` the same events as JSON frames. `id` is the log's sequence number. After a cut, `text-snapshot` comes before new `text-delta`s. Only `event: end` is an end.",
  request: {
    params: agentParams,
    headers: z.object({
      "Last-Event-ID": numeric(sequence, "Resume after this event; stronger than `after`."),
    }),
    query: z.object({
      after: numeric(sequence, "Start after this event; 0, the whole log, when absent."),
    }),
  },
  responses: {
    200: { content: { "text/event-stream": { schema: z.string() } }, description: "Events, until `end`." },
    101: { description: "The WebSocket." },
    ...failures,
  },
});

export function events(app: OpenAPIHono<AppEnv>): void {
  app.openapi(watch, async (c) => {
    const after = c.req.valid("header")["Last-Event-ID"] ?? c.req.valid("query").after ?? 0;
    if (c.req.header("Upgrade")?.toLowerCase() === "websocket") return passUpgrade(c, after);
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
    const stream = await eventStream(c.var.agent, after, c.req.raw.signal);
    if (!stream.ok) return problem(c, stream.error);
    return c.body(stream.value, 200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
  });
}

/** The client's own socket ends at the object; the Worker has let it in and steps aside. */
async function passUpgrade(c: AppContext, after: number): Promise<Response> {
  const response = await answer<Response>(upgrade(c.var.agent, after).then((response) => ok(response)));
  if (!response.ok) return problem(c, response.error);
  const { webSocket } = response.value;
  if (webSocket) return new Response(null, { status: 101, webSocket });
  const refused = refusal(response.value);
  return refused.ok ? response.value : problem(c, refused.error);
}
