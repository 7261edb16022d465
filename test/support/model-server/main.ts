import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { serve } from "../serve.ts";
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

serve(server, { host: "127.0.0.1", port: Number(values.port) }, () => journal.close());

async function answersOf(module: string | undefined): Promise<Answers> {
  if (module === undefined) return new ScriptedModel();
  const { makeAnswers } = (await import(pathToFileURL(module).href)) as { makeAnswers: () => Answers };
  return makeAnswers();
}
