import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { batchRoutes } from "./batch-routes.ts";
import type { Journal } from "./journal.ts";
import { send } from "./reply-stream.ts";
import { type Answers, ScriptedModel, usageOf, type WireRequest } from "./scripted-model.ts";

/**
 * Idle connections stay open. Node's own 5 s are those of workerd's pool: both ends would close at once, and a request on a
 * connection that is being closed is a lost call, which stories count.
 */
const KEEP_ALIVE_MS = 600_000;

/**
 * The scripted model server: `POST .../chat/completions` for the kernel, `POST /_script` and `GET /_journal` for tests.
 * Every key is welcome.
 */
export function modelServer(journal: Journal, model: Answers = new ScriptedModel()): Server {
  let requests = 0;
  const batches = batchRoutes();
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    route(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    if (path === "/_journal") return void response.end(journal.text());
    if (await batches(request, response)) return;
    const text = await bodyOf(request);
    if (path === "/_script") {
      model.load(JSON.parse(text));
      return void response.end("{}");
    }
    if (request.method === "POST" && path.endsWith("/chat/completions")) return complete(JSON.parse(text), response);
    response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"no such route"}}');
  }

  async function complete(body: WireRequest, response: ServerResponse): Promise<void> {
    requests += 1;
    const request = requests;
    journal.append({ type: "request", request, model: body.model, body });
    const reply = await model.answer(body);
    const usage = usageOf(body, reply);
    const { text = "", toolCalls = [], fault } = reply;
    journal.append({ type: "reply", request, text, toolCalls, usage, fault: fault?.kind ?? null });
    const whole = reply.whole === true || body.stream !== true;
    const sent = await send({
      id: `chatcmpl-${request}`,
      model: body.model,
      reply: { ...reply, whole },
      usage,
      response,
    });
    journal.append({ type: "end", request, complete: sent && !response.destroyed });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
