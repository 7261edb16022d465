import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { batchRoutes } from "./batch-routes.ts";
import { booksOf } from "./books.ts";
import type { Dialect, Refusal } from "./dialects/dialect.ts";
import { Dialects } from "./dialects/index.ts";
import { embed, isEmbedding } from "./embeddings.ts";
import type { Journal } from "./journal.ts";
import { send } from "./reply-stream.ts";
import type { ScriptedReply } from "./script.ts";
import { type Answers, ScriptedModel, usageOf, type WireRequest } from "./scripted-model.ts";

/**
 * Idle connections stay open. Node's own 5 s are those of workerd's pool: both ends would close at once, and a request on a
 * connection that is being closed is a lost call, which stories count.
 */
const KEEP_ALIVE_MS = 600_000;

/**
 * The scripted model server: `POST .../chat/completions` for the kernel, `POST /_script`, `GET /_journal` and `GET /_books` for tests. Under
 * `/openai`, `/deepseek`, `/kimi` and `/ollama` it is that vendor's server (`dialects/`). Every key is welcome but `wrong-key`.
 */
export function modelServer(journal: Journal, model: Answers = new ScriptedModel()): Server {
  const dialects = new Dialects();
  let requests = 0;
  const batches = batchRoutes();
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    route(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    if (url === "/_journal") return void response.end(journal.text());
    if (url === "/_books") return void response.end(JSON.stringify(booksOf(journal.text())));
    if (await batches(request, response)) return;
    const text = await bodyOf(request);
    if (url === "/_script") {
      model.load(JSON.parse(text));
      return void response.end("{}");
    }
    const { dialect, path } = dialects.of(url);
    const key = request.headers.authorization ?? "";
    if (key.endsWith(WRONG_KEY))
      return refuse(response, dialect, { ...UNAUTHORIZED, message: `Bad key: ${WRONG_KEY}` });
    if (request.method === "POST" && isEmbedding(path)) {
      requests += 1;
      return embed({ dialect, request: requests, body: JSON.parse(text) }, model, journal, response);
    }
    if (request.method === "POST" && dialect.serves(path))
      return complete(dialect, path, JSON.parse(text), response, key);
    const list = dialect.list(path, text);
    if (list === null) return refuse(response, dialect, { status: 404, message: "no such route" });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(list));
  }

  async function complete(
    dialect: Dialect,
    path: string,
    body: WireRequest,
    response: ServerResponse,
    key: string,
  ): Promise<void> {
    requests += 1;
    const request = requests;
    journal.append({ type: "request", request, model: body.model, body });
    const refusal = dialect.refusal(body, path);
    if (refusal !== null) {
      journal.append({ type: "end", request, complete: false });
      return refuse(response, dialect, refusal);
    }
    const reply = echoing(continued(await model.answer(body), dialect.prefix(body)), key);
    const counted = usageOf(body, reply);
    const cachedTokens = reply.usage?.cachedTokens ?? dialect.cached(body, counted.promptTokens);
    const usage = { ...counted, cachedTokens };
    const { text = "", toolCalls = [], fault } = reply;
    journal.append({ type: "reply", request, text, toolCalls, usage, fault: fault?.kind ?? null });
    const whole = reply.whole === true || !(body.stream ?? dialect.name === "ollama");
    const out = { id: `chatcmpl-${request}`, request: body, reply: { ...reply, whole }, usage };
    const sent = await send(out, dialect, response);
    journal.append({ type: "end", request, complete: sent && !response.destroyed });
  }
}

/** `{key}` and `{key64}` in a script stand for the key that the request carried: careless vendors repeat it. */
function echoing(reply: ScriptedReply, authorization: string): ScriptedReply {
  const key = authorization.replace("Bearer ", "");
  const text = JSON.stringify(reply).replaceAll("{key}", key);
  return JSON.parse(text.replaceAll("{key64}", Buffer.from(`key=${key};`).toString("base64"))) as ScriptedReply;
}

const WRONG_KEY = "wrong-key-0123456789";
const UNAUTHORIZED = { status: 401, type: "authentication_error", code: "invalid_api_key" };

function refuse(response: ServerResponse, dialect: Dialect, { status, ...facts }: Refusal): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(dialect.errorBody(facts)));
}

/** The reply as a vendor sends it that goes on from `prefix`: without it, and without the thoughts that came before it. */
function continued(reply: ScriptedReply, prefix: string): ScriptedReply {
  if (prefix === "" || !(reply.text ?? "").startsWith(prefix)) return reply;
  const { reasoning: _, ...rest } = reply;
  return { ...rest, text: (reply.text ?? "").slice(prefix.length) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
