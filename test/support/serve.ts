import type { Server } from "node:http";

/** Serves on `port` of `host` (0 = any), says so as `ready http://HOST:PORT`, and ends in order when it is told to. */
export function serve(server: Server, { host, port }: { host: string; port: number }, close: () => void): void {
  server.listen(port, host, () => {
    const address = server.address();
    console.log(`ready http://${host}:${typeof address === "object" && address !== null ? address.port : port}`);
  });
  const stop = () => {
    server.closeAllConnections();
    server.close(() => {
      close();
      process.exit(0);
    });
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
