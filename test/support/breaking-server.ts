import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** Servers that break connections on the level of TCP, where an HTTP server cannot. Node only. */

export interface BreakingServer {
  url: string;
  /** Heads of the requests that came whole. */
  requests: string[];
  stop(): void;
}

/** When the connection is reset. */
export type Break = "on accept" | "in the body" | "after the request";

export async function breakingServer(when: Break): Promise<BreakingServer> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (when === "on accept") socket.resetAndDestroy();
    else if (when === "in the body") socket.once("data", () => socket.resetAndDestroy());
    else {
      onRequest(socket, (head) => {
        requests.push(head);
        socket.resetAndDestroy();
      });
    }
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}`, requests, stop: () => void server.close() };
}

/** An address that refuses connections: it was free a moment ago. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Calls `then` with the head once the body that it announces has come. */
function onRequest(socket: Socket, then: (head: string) => void): void {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(text)?.[1];
    if (end >= 0 && text.length - end - 4 >= Number(length)) then(text.slice(0, end));
  });
}
