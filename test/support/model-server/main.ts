import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Journal } from "./journal.ts";
import { type Answers, ScriptedModel } from "./scripted-model.ts";
import { modelServer } from "./server.ts";

/**
 * `node test/support/model-server/main.ts [--port 0] [--journal FILE] [--answers MODULE] [--unsynced]`: prints `ready http://127.0.0.1:PORT`.
 * `MODULE` exports `makeAnswers()`; without it the server answers by script.
 */

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    journal: { type: "string", default: join(tmpdir(), `model-server-${process.pid}.jsonl`) },
    answers: { type: "string" },
    unsynced: { type: "boolean", default: false },
  },
});

const journal = new Journal(values.journal, !values.unsynced);
const server = modelServer(journal, await answersOf(values.answers));

server.listen(Number(values.port), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : values.port;
  console.log(`ready http://127.0.0.1:${port}`);
});

async function answersOf(module: string | undefined): Promise<Answers> {
  if (module === undefined) return new ScriptedModel();
  const { makeAnswers } = (await import(pathToFileURL(module).href)) as { makeAnswers: () => Answers };
  return makeAnswers();
}

function stop(): void {
  server.closeAllConnections();
  server.close(() => {
    journal.close();
    process.exit(0);
  });
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
