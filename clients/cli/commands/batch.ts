import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import type { BatchEntry } from "../../sdk/client/batches.ts";
import type { KernelClient } from "../../sdk/client/client.ts";
import { connect } from "../connection.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos batch`: many model calls as one job. */
export function batchCommands(): Command {
  const batch = new Command("batch").description("many model calls as one job, at batch prices");
  const commands = [list(), create(), show(), wait(), results(), cancel()];
  for (const command of commands) batch.addCommand(command);
  return batch;
}

function list(): Command {
  return new Command("ls").description("list them").action(async (_options: object, command: Command) => {
    const items: BatchEntry[] = [];
    for await (const entry of connect(command).batches.list()) items.push(entry);
    const rows = items.map(({ id, state, progress, createdAt }) => [id, state, ...counts(progress), createdAt]);
    new Printer(command).print({ items }, () => table(["BATCH", "STATE", "DONE", "FAILED", "CREATED"], rows));
  });
}

function create(): Command {
  return new Command("create")
    .description("start one from a file in the shape of OpenAI's batch files (JSON Lines)")
    .argument("<file>", "a file here, - for standard input")
    .option("--once <key>", "an Idempotency-Key: again with the same file starts nothing")
    .option("--wait", "until it has ended")
    .action(async (file: string, options: { once?: string; wait?: boolean }, command: Command) => {
      const client = connect(command);
      const idempotency = options.once === undefined ? {} : { idempotencyKey: options.once };
      const batch = await client.batches.create(readBytes(file), idempotency);
      if (options.wait !== true) return new Printer(command).print(batch, () => batch.id);
      new Printer(command).note(batch.id);
      await waitAndPrint(client, batch.id, command);
    });
}

function show(): Command {
  return new Command("show")
    .description("where it is")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const batch = await connect(command).batches.get(id);
      new Printer(command).print(batch, () => describe(batch));
    });
}

function wait(): Command {
  return new Command("wait")
    .description("wait until it has ended")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => waitAndPrint(connect(command), id, command));
}

function results(): Command {
  return new Command("results")
    .description("print its results, one JSON value a line")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      for await (const chunk of await connect(command).batches.resultsFile(id)) process.stdout.write(chunk);
    });
}

function cancel(): Command {
  return new Command("cancel")
    .description("end it; what was answered keeps its result and its price")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const batch = await connect(command).batches.cancel(id);
      new Printer(command).print(batch, () => batch.state);
    });
}

const ENDED = ["completed", "failed", "expired", "cancelled"];
const POLL_MS = 1_000;

/** Exits 0 when every request was answered, 1 when the job ended otherwise. */
async function waitAndPrint(client: KernelClient, id: string, command: Command): Promise<void> {
  let batch = await client.batches.get(id);
  while (!ENDED.includes(batch.state)) {
    await sleep(POLL_MS);
    batch = await client.batches.get(id);
  }
  new Printer(command).print(batch, () => describe(batch));
  process.exitCode = batch.state === "completed" && batch.progress.failed === 0 ? EXIT.done : EXIT.failed;
}

function describe(batch: BatchView): string {
  const [done, failed] = counts(batch.progress);
  const facts: [string, string | null][] = [
    ["id", batch.id],
    ["state", batch.state],
    ["done", done],
    ["failed", failed],
    ["cost", `$${batch.costUsd}`],
    ["created", batch.createdAt],
    ["expires", batch.finishedAt === null ? batch.expiresAt : null],
    ["finished", batch.finishedAt],
    ["error", batch.error?.message ?? null],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(9)} ${value}`])).join("\n");
}

function counts({ total, completed, failed }: BatchView["progress"]): [string, string] {
  return [`${completed}/${total}`, String(failed)];
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file === "-" ? 0 : file));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
