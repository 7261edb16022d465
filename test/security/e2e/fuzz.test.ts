import { afterAll, beforeAll, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { KernelProcess } from "../../e2e/runtime/kernel-process.ts";
import { figure } from "../figure.ts";
import type { OpenApiDocument } from "./fuzz/document.ts";
import { FuzzRun } from "./fuzz/fuzz-run.ts";
import type { KnownNames } from "./fuzz/known-names.ts";
import { Requests } from "./fuzz/requests.ts";

/**
 * Requests made from the kernel's own OpenAPI document, about half of them wrong somewhere: none is answered by a 5xx, and
 * every answer is one that the document describes. The same seed makes the same requests.
 */

const COUNT = Number(process.env["AOS_FUZZ_COUNT"] ?? 20_000);
const SEED = Number(process.env["AOS_FUZZ_SEED"] ?? 77);
const SEEDED_AGENTS = 30;
const SHOWN = 20;

let kernel: KernelProcess;

beforeAll(async () => {
  kernel = await KernelProcess.start();
});

afterAll(() => kernel?.dispose());

/** Agents to be named, with a message, a page and a file each. */
async function plant(known: KnownNames): Promise<void> {
  const client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  for (let i = 0; i < SEEDED_AGENTS; i++) {
    const { id } = await client.agents.spawn({ name: `Seed ${i}`, role: "seed", goal: "wait", daemon: true });
    const { messageId } = await client.messages.send(id, "Is the lamp lit?");
    const pages = await client.pages.add(id, { content: "The lamp is lit." });
    await client.files.write(id, "file_0", "old");
    known.learn("/v1/agents", JSON.stringify([{ id }, { messageId }, ...pages]));
  }
}

test("twenty thousand fuzzed requests get no 5xx, and every reply is one that is described", {
  timeout: 900_000,
}, async () => {
  const document = (await (await fetch(`${kernel.url}/openapi.json`)).json()) as OpenApiDocument;
  const run = new FuzzRun(kernel, document);
  await plant(run.known);
  const requests = new Requests(document).sample(COUNT, SEED);
  const begun = Date.now();
  await run.sendAll(requests);
  const statuses = [...run.statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  console.log(`seed ${SEED}, ${Math.round((Date.now() - begun) / 1_000)} s: ${statuses.join(", ")}`);
  expect(run.wrong.slice(0, SHOWN), `${run.wrong.length} wrong replies`).toEqual([]);
  expect(requests.length).toBeGreaterThanOrEqual(COUNT);
  figure("S9", `${requests.length} fuzzed requests: 0 replies 5xx, every reply matches its schema`);
});
