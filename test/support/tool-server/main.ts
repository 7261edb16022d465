import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { serve } from "../serve.ts";
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

serve(server, { host: values.host, port: Number(values.port) }, () => journal.close());
