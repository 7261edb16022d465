import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Journal } from "./journal.ts";
import { modelServer } from "./server.ts";

/** `node test/support/model-server/main.ts [--port 0] [--journal FILE]`: prints `ready http://127.0.0.1:PORT`. */

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    journal: { type: "string", default: join(tmpdir(), `model-server-${process.pid}.jsonl`) },
  },
});

const journal = new Journal(values.journal);
const server = modelServer(journal);

server.listen(Number(values.port), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : values.port;
  console.log(`ready http://127.0.0.1:${port}`);
});

function stop(): void {
  server.closeAllConnections();
  server.close(() => {
    journal.close();
    process.exit(0);
  });
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
