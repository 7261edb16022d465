import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { contentChunks, finishChunk, usageChunk, wholeReply } from "./completion.ts";
import type { Fault, ScriptedReply, ScriptedUsage } from "./script.ts";

/** Sends a reply, with the fault that the script wants. Answers whether all of it was sent. */

export interface Outgoing {
  id: string;
  model: string;
  reply: ScriptedReply;
  usage: Required<ScriptedUsage>;
  response: ServerResponse;
}

const HUGE_PIECE = "x".repeat(64 * 1024);
const DRIP_MS = 1_000;

export async function send(out: Outgoing): Promise<boolean> {
  const { fault } = out.reply;
  await sleep(out.reply.latencyMs ?? 0);
  if (fault !== undefined && (await refuse(out.response, fault))) return false;
  return out.reply.whole === true ? sendWhole(out) : stream(out);
}

/** Faults that come before a stream begins. Answers whether it was one. */
async function refuse(response: ServerResponse, fault: Fault): Promise<boolean> {
  switch (fault.kind) {
    case "status":
      return fail(response, fault.status, fault, fault.headers);
    case "rate_limit":
      return fail(
        response,
        429,
        { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" },
        waiting(fault),
      );
    case "spend_cap":
      return fail(response, 429, {
        message: "You exceeded your current quota",
        type: "insufficient_quota",
        code: "insufficient_quota",
      });
    case "hang_headers":
      return true;
    case "hang_error":
      response.writeHead(fault.status, { "content-type": "application/json" }).flushHeaders();
      return true;
    case "wrong_json":
      response.writeHead(200, { "content-type": "application/json" }).end('["not", "a", "completion"]');
      return true;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Welcome</body></html>");
      return true;
    default:
      return false;
  }
}

function waiting({ retryAfterSeconds: wait, as }: Extract<Fault, { kind: "rate_limit" }>): Record<string, string> {
  const now = Date.now();
  if (as === "seconds") return { "retry-after": String(wait) };
  return { date: new Date(now).toUTCString(), "retry-after": new Date(now + wait * 1_000).toUTCString() };
}

function fail(
  response: ServerResponse,
  status: number,
  { message = "It failed", type = "error", code = null }: { message?: string; type?: string; code?: string | null },
  headers: Record<string, string> = {},
): true {
  const body = JSON.stringify({ error: { message, type, code, param: null } });
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  return true;
}

function sendWhole({ response, id, model, reply, usage }: Outgoing): boolean {
  const body = JSON.stringify(wholeReply(id, model, reply, usage));
  response.writeHead(200, { "content-type": "application/json" }).end(body);
  return true;
}

async function stream(out: Outgoing): Promise<boolean> {
  const { response, reply, id, model } = out;
  begin(response, reply.fault);
  for (let i = 0; i < (reply.keepAlives ?? 0); i++) response.write(": keep-alive\n\n");
  if (reply.fault?.kind === "drip") return drip(response, event(contentChunks(id, model, reply)[0]));
  if (reply.fault?.kind === "huge") await flood(out, reply.fault.bytes);
  for (const [index, chunk] of contentChunks(id, model, reply).entries()) {
    // The first chunk only names the role.
    if (breaks(response, reply.fault, index - 1)) return false;
    await sleep(reply.chunkDelayMs ?? 0);
    response.write(event(chunk));
  }
  return finish(out);
}

/** A body that ends with its connection, so that a FIN in the middle looks like its end. */
function begin(response: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === "fin") {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.flushHeaders();
}

/** Whether the stream breaks off after `sent` chunks of content; does it. */
function breaks(response: ServerResponse, fault: Fault | undefined, sent: number): boolean {
  if (fault === undefined || !("afterChunks" in fault) || sent < fault.afterChunks) return false;
  if (fault.kind === "rst") response.socket?.resetAndDestroy();
  if (fault.kind === "fin") response.end();
  if (fault.kind === "garbage") response.end("data: {this is no JSON\n\n");
  if (fault.kind === "error_in_stream") {
    const { message, code = null, type = "server_error" } = fault;
    response.end(event({ error: { message, code, type } }));
  }
  return true;
}

async function finish({ response, reply, id, model, usage }: Outgoing): Promise<boolean> {
  const kind = reply.fault?.kind;
  const last = kind === "no_finish_reason" ? "" : event(finishChunk(id, model, reply));
  const bill = reply.usage === null ? "" : event(usageChunk(id, model, usage));
  const terminal = kind === "no_terminal_event" ? "" : "data: [DONE]\n\n";
  response.end((last + bill + terminal).repeat(kind === "doubled_end" ? 2 : 1));
  return kind === undefined || kind === "doubled_end";
}

async function flood({ response, id, model }: Outgoing, bytes: number): Promise<void> {
  const piece = event(contentChunks(id, model, { text: HUGE_PIECE, chunkChars: HUGE_PIECE.length })[1]);
  for (let sent = 0; sent < bytes && !response.destroyed; sent += piece.length) {
    if (!response.write(piece)) await Promise.race([drained(response), sleep(100)]);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once("drain", resolve));
}

async function drip(response: ServerResponse, text: string): Promise<false> {
  for (const char of text) {
    if (response.destroyed) break;
    response.write(char);
    await sleep(DRIP_MS);
  }
  return false;
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
