import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../../support/serve.ts";

/**
 * A web of its own process: `PUT /_page/NAME` lays a page that `GET /page/NAME` answers; whatever else arrives is written down with all of it, so that a
 * leak is seen by whoever it reaches. `GET /_journal` is for tests.
 */

const journal = join(tmpdir(), `injection-web-${process.pid}.jsonl`);
writeFileSync(journal, "");

const pages = new Map<string, string>();

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://web");
  if (url.pathname === "/_journal") return void response.end(readFileSync(journal));
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts).toString("utf8");
  const name = url.pathname.split("/").at(-1) ?? "";
  if (url.pathname.startsWith("/_page/")) {
    pages.set(name, body);
    return void response.end();
  }
  const arrived = { method: request.method, url: request.url, headers: JSON.stringify(request.headers), body };
  appendFileSync(journal, `${JSON.stringify(arrived)}\n`);
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.end(url.pathname.startsWith("/page/") ? pages.get(name) : "thank you");
});

serve(server, { host: "127.0.0.1", port: 0 }, () => {});
