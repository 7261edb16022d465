import type { IncomingMessage, ServerResponse } from "node:http";
import { BatchApi } from "./batch-api.ts";

/**
 * The scripted Batch API behind the model server's socket, with `POST /_batches` for its script and `GET /_batches` for its
 * books. Answers whether the request was one of these.
 */
export function batchRoutes(): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const api = new BatchApi();
  return async (request, response) => {
    const path = request.url ?? "/";
    if (path === "/_batches" && request.method === "GET") {
      response.end(JSON.stringify(api.books()));
    } else if (path === "/_batches") {
      api.script(JSON.parse((await bytesOf(request)).toString("utf8")));
      response.end("{}");
    } else if (/\/v1\/(files|batches)\b/.test(path)) {
      await pass(api, request, response);
    } else return false;
    return true;
  };
}

async function pass(api: BatchApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const bytes = await bytesOf(request);
  const type = headers["content-type"];
  const init = {
    method,
    headers: type === undefined ? {} : { "content-type": type },
    ...(bytes.length === 0 ? {} : { body: new Uint8Array(bytes) }),
  };
  const answer = await api.handle(new Request(`http://vendor.test${url}`, init));
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/jsonl" });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
