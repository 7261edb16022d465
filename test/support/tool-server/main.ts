import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ToolJournal } from "./journal.ts";
import { toolServer } from "./server.ts";

/**
 * `node test/support/tool-server/main.ts [--port 0] [--host 127.0.0.1] [--journal FILE] [--keys]`: prints
 * `ready http://HOST:PORT`. With `--keys` it honours idempotency keys.
 */

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    journal: { type: "string", default: join(tmpdir(), `tool-server-${process.pid}.jsonl`) },
    keys: { type: "boolean", default: false },
  },
});

const journal = new ToolJournal(values.journal);
const server = toolServer(journal, { honoursKeys: values.keys });

server.listen(Number(values.port), values.host, () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : values.port;
  console.log(`ready http://${values.host}:${port}`);
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
