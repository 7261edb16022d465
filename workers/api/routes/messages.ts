import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { MESSAGE_STATES, messageBody, messageView, signalBody } from "../../../kernel/process/message.ts";
import { STATES } from "../../../kernel/process/state.ts";
import { answer } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { agentParams, failures, idempotencyHeader, json, listOf, pageQuery, takes } from "../route.ts";
import { waitForMessage } from "../wait-for-message.ts";

const tags = ["messages"];
const view = messageView.meta({ id: "Message" });
const messageParams = agentParams.extend({
  messageId: z.string().meta({ description: "The message's id, `msg_...`." }),
});

const accepted = z.object({ messageId: z.string() }).meta({ id: "MessageAccepted" });
const ended = z
  .object({
    messageId: z.string(),
    state: z.enum(MESSAGE_STATES),
    reply: z.string().optional(),
    error: messageView.shape.error,
  })
  .meta({ id: "MessageEnded" });

const send = createRoute({
  method: "post",
  path: "/v1/agents/{id}/messages",
  security: needs("operator"),
  tags,
  summary: "Send a message, and wait for the reply if you like",
  middleware: jsonBody,
  request: { params: agentParams, headers: idempotencyHeader, body: takes(messageBody.meta({ id: "MessageBody" })) },
  responses: {
    200: json(ended, "With `wait`: it has ended; `reply` when it was answered, else `error`."),
    202: json(accepted, "It is durable; without `wait`, or when the time ran out before the reply."),
    ...failures,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/agents/{id}/messages",
  security: needs("viewer"),
  tags,
  summary: "The mailbox, ended messages included",
  request: { params: agentParams, query: z.object(pageQuery) },
  responses: { 200: json(listOf(view).meta({ id: "MessageList" }), "A page of it."), ...failures },
});

const show = createRoute({
  method: "get",
  path: "/v1/agents/{id}/messages/{messageId}",
  security: needs("viewer"),
  tags,
  summary: "One message, with its reply",
  request: { params: messageParams },
  responses: { 200: json(view, "As it is now."), ...failures },
});

const cancel = createRoute({
  method: "delete",
  path: "/v1/agents/{id}/messages/{messageId}",
  security: needs("operator"),
  tags,
  summary: "Cancel a message that is queued or running",
  request: { params: messageParams },
  responses: { 200: json(view, "It is cancelled."), ...failures },
});

const signal = createRoute({
  method: "post",
  path: "/v1/agents/{id}/signals",
  security: needs("operator"),
  tags,
  summary: "Signal the process: STOP, CONT, INT, TERM or KILL",
  middleware: jsonBody,
  request: { params: agentParams, body: takes(signalBody.meta({ id: "SignalBody" })) },
  responses: {
    202: json(z.object({ state: z.enum(STATES) }).meta({ id: "Signalled" }), "It is delivered."),
    ...failures,
  },
});

export function messages(app: OpenAPIHono<AppEnv>): void {
  app.openapi(send, async (c) => {
    const { content, wait = 0, trust, sensitivity } = c.req.valid("json");
    const idempotencyKey = c.req.valid("header")["Idempotency-Key"];
    const input = {
      content,
      trust,
      sensitivity,
      actor: actorOf(c.var.principal),
      ...(idempotencyKey && { idempotencyKey }),
    };
    const sent = await answer(c.var.agent.send(input));
    if (!sent.ok) return problem(c, sent.error);
    const { messageId } = sent.value;
    const message = wait > 0 ? await waitForMessage(c.var.reachAgent, messageId, wait * 1_000, c.req.raw.signal) : null;
    if (!message?.ok || message.value === null) return c.json({ messageId }, 202);
    const { state, reply, error } = message.value;
    return c.json({ messageId, state, ...(reply !== undefined && { reply }), ...(error && { error }) }, 200);
  });

  app.openapi(list, async (c) => {
    const name = `${c.req.valid("param").id}/messages`;
    const options = listOptions(name, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await answer(c.var.agent.messages(options.value))), 200);
  });

  app.openapi(show, async (c) => reply(c, await answer(c.var.agent.message(c.req.valid("param").messageId)), 200));

  app.openapi(cancel, async (c) => {
    const call = c.var.agent.cancelMessage(c.req.valid("param").messageId, actorOf(c.var.principal));
    return reply(c, await answer(call), 200);
  });

  app.openapi(signal, async (c) => {
    const call = c.var.agent.signal(c.req.valid("json").signal, actorOf(c.var.principal));
    return reply(c, await answer(call), 202);
  });
}
