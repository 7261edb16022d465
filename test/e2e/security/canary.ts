import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** A private service that nobody may reach: it counts connections, whatever they would have said. */
export class Canary {
  readonly port: number;
  readonly #servers: Server[];
  #connections = 0;

  private constructor(servers: Server[], port: number) {
    this.#servers = servers;
    this.port = port;
    for (const server of servers) {
      server.on("connection", (socket) => {
        this.#connections += 1;
        socket.destroy();
      });
    }
  }

  /** Listens on both loopback addresses, or on the one that the machine has, at one port. */
  static async start(): Promise<Canary> {
    const first = await listening(0, "127.0.0.1");
    const address = first.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const second = await listening(port, "::1").catch(() => null);
    return new Canary(second === null ? [first] : [first, second], port);
  }

  get connections(): number {
    return this.#connections;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((done) => server.close(done))));
  }
}

async function listening(port: number, host: string): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  await once(server, "listening");
  return server;
}
