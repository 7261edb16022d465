import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dialect, Outgoing, Refusal } from "./dialects/dialect.ts";
import type { Fault } from "./script.ts";

/** Sends a reply in the dialect's shapes, with the fault that the script wants. Answers whether all of it was sent. */

const HUGE_PIECE = "x".repeat(64 * 1024);
const DRIP_MS = 1_000;

export async function send(out: Outgoing, dialect: Dialect, response: ServerResponse): Promise<boolean> {
  const { fault } = out.reply;
  await sleep(out.reply.latencyMs ?? 0);
  if (fault !== undefined && (await refuse(response, dialect, fault))) return false;
  return out.reply.whole === true ? sendWhole(out, dialect, response) : stream(out, dialect, response);
}

/** Faults that come before a stream begins. Answers whether it was one. */
async function refuse(response: ServerResponse, dialect: Dialect, fault: Fault): Promise<boolean> {
  switch (fault.kind) {
    case "status":
      return fail(response, dialect, { message: "It failed", ...fault }, fault.headers);
    case "rate_limit": {
      const limited = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" };
      return fail(response, dialect, { status: 429, ...limited }, waiting(fault));
    }
    case "spend_cap":
      return fail(response, dialect, dialect.spendCap);
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
  dialect: Dialect,
  { status, ...facts }: Refusal,
  headers: Record<string, string> = {},
): true {
  const body = JSON.stringify(dialect.errorBody(facts));
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  return true;
}

function sendWhole(out: Outgoing, dialect: Dialect, response: ServerResponse): boolean {
  const body = JSON.stringify(dialect.whole(out));
  response.writeHead(200, { "content-type": "application/json" }).end(body);
  return true;
}

async function stream(out: Outgoing, dialect: Dialect, response: ServerResponse): Promise<boolean> {
  const { fault, keepAlives = 0, chunkDelayMs = 0 } = out.reply;
  const pieces = dialect.pieces(out);
  begin(response, dialect, fault);
  for (let i = 0; i < keepAlives; i++) response.write(dialect.keepAlive);
  if (fault?.kind === "drip") return drip(response, pieces.join(""), fault.everyMs ?? DRIP_MS);
  if (fault?.kind === "huge") await flood(out, dialect, response, fault.bytes);
  for (const [index, piece] of pieces.entries()) {
    // The first piece carries no text.
    if (breaks(response, dialect, fault, index - 1)) return false;
    await sleep(chunkDelayMs);
    response.write(piece);
  }
  return finish(out, dialect, response);
}

/** A body that ends with its connection, so that a FIN in the middle looks like its end. */
function begin(response: ServerResponse, dialect: Dialect, fault: Fault | undefined): void {
  if (fault?.kind === "fin") {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  response.writeHead(200, { "content-type": dialect.contentType, "cache-control": "no-cache" });
  response.flushHeaders();
}

/** Whether the stream breaks off after `sent` pieces of content; does it. */
function breaks(response: ServerResponse, dialect: Dialect, fault: Fault | undefined, sent: number): boolean {
  if (fault === undefined || !("afterChunks" in fault) || sent < fault.afterChunks) return false;
  if (fault.kind === "rst") response.socket?.resetAndDestroy();
  if (fault.kind === "fin") response.end();
  if (fault.kind === "garbage") response.end(dialect.garbage);
  if (fault.kind === "error_in_stream") {
    const { message, code = null, type = "server_error" } = fault;
    response.end(dialect.errorPiece({ message, code, type }));
  }
  return true;
}

async function finish(out: Outgoing, dialect: Dialect, response: ServerResponse): Promise<boolean> {
  const kind = out.reply.fault?.kind;
  const last = dialect.finish(out, kind === "no_finish_reason");
  // Where the last piece is the terminal event, a reply without that event is one without its last piece.
  const closing = kind === "no_terminal_event" ? (dialect.terminal === "" ? "" : last) : last + dialect.terminal;
  response.end(closing.repeat(kind === "doubled_end" ? 2 : 1));
  return kind === undefined || kind === "doubled_end";
}

async function flood(out: Outgoing, dialect: Dialect, response: ServerResponse, bytes: number): Promise<void> {
  const huge = { ...out, reply: { text: HUGE_PIECE, chunkChars: HUGE_PIECE.length } };
  const piece = dialect.pieces(huge)[1] ?? "";
  for (let sent = 0; sent < bytes && !response.destroyed; sent += piece.length) {
    if (!response.write(piece)) await Promise.race([drained(response), sleep(100)]);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once("drain", resolve));
}

async function drip(response: ServerResponse, text: string, everyMs: number): Promise<false> {
  for (const char of text) {
    if (response.destroyed) break;
    response.write(char);
    await sleep(everyMs);
  }
  return false;
}
