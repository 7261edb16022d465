import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { MessageView } from "../../../kernel/process/message.ts";
import { StateFiles } from "../../faults/state-files.ts";
import { buildDoublingPackage } from "../../support/doubling-worker/build.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { JournalEntry } from "../../support/model-server/script.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";
import { billOfJournal, billOfLedger } from "./bills.ts";

/**
 * A thousand model calls in each lane, on a real runtime behind a queue that delivers half of its messages twice, against a
 * vendor that fails a tenth of its answers in nine ways. The vendor's journal is the oracle. `npm run test:lanes`.
 */

const AGENTS = 100;
/** With its goal each agent answers ten times. */
const MESSAGES = 9;
/** Clients side by side. */
const SENDERS = 16;
const ANSWERED_MS = 500_000;
/** Two to five minutes on two cores of one's own. */
const TEST_MS = 600_000;
/** Listed, so that it has a price. */
const MODEL = "gpt-5.4-mini";
const PRICE = openai.models[MODEL]?.price;

let built: string;
let folder: string;
let model: ModelServer;
let kernel: KernelProcess;
let client: KernelClient;

beforeAll(async () => {
  built = await buildDoublingPackage();
});

afterAll(() => rmSync(built, { recursive: true, force: true }));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "aos-journal-"));
  const answers = join(import.meta.dirname, "failing-vendor.ts");
  model = await ModelServer.start({ journal: join(folder, "journal.jsonl"), answers });
  const env = { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl };
  kernel = await KernelProcess.start(undefined, env, join(built, "dist/cli/aos.js"));
  client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
});

afterEach(async () => {
  await kernel.dispose();
  await model.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["interactive", "batch"] as const)("a thousand calls in the %s lane", (lane) => {
  test("are each answered once, and the ledger is the vendor's journal", { timeout: TEST_MS }, async () => {
    const begun = performance.now();
    const sent = await sendAll(lane);
    const messages = await ended(sent);
    const seconds = (performance.now() - begun) / 1_000;

    expect(messages.map(({ state, reply }) => [state, reply])).toEqual(
      sent.map(({ text }) => ["answered", `echo: ${text}`]),
    );
    await settled();
    const { stderr } = await kernel.end();
    const journal = await model.journal();
    expect(textsOf(journal)).toEqual(sent.map(({ text }) => `echo: ${text}`).sort());
    expect(billOfLedger(ledger())).toEqual(billOfJournal(journal, present(PRICE)));
    report(lane, seconds, journal, deliveriesOf(stderr));
  });
});

interface Sent {
  agentId: string;
  text: string;
}

/** Spawns the daemons and fills their mailboxes, some at a time. Their goals are messages like the others. */
async function sendAll(lane: "interactive" | "batch"): Promise<Sent[]> {
  const spec = { role: "echo", model: `openai/${MODEL}`, lane, daemon: true };
  const sent: Sent[] = [];
  const agents = Array.from({ length: AGENTS }, (_, agent) => agent).values();
  const send = async (agent: number) => {
    const texts = Array.from({ length: MESSAGES + 1 }, (_, message) => `agent ${agent}, message ${message}.`);
    const { id } = await client.agents.spawn({ ...spec, name: `Agent ${agent}`, goal: texts[0] ?? "" });
    for (const text of texts.slice(1)) await client.messages.send(id, text);
    sent.push(...texts.map((text) => ({ agentId: id, text })));
  };
  const sender = async () => {
    for (const agent of agents) await send(agent);
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return sent;
}

/** The messages as they ended, in the order of `sent`. */
async function ended(sent: readonly Sent[]): Promise<MessageView[]> {
  const lists = new Map<string, MessageView[]>();
  const end = Date.now() + ANSWERED_MS;
  const agentIds = [...new Set(sent.map(({ agentId }) => agentId))];
  await Promise.all(agentIds.map(async (id) => lists.set(id, await mailboxAtRest(id, end))));
  return sent.map(({ agentId, text }) => present(theOne(lists.get(agentId), text)));
}

/** A daemon has nothing to do when all of its messages have ended. */
async function mailboxAtRest(agentId: string, end: number): Promise<MessageView[]> {
  while (Date.now() < end) {
    await client.agents.wait(agentId, { timeoutSeconds: 300 });
    const { items } = await client.messages.list(agentId);
    if (items.every(({ state }) => state !== "queued" && state !== "running")) return items;
  }
  throw new Error(`${agentId} still has open messages`);
}

function theOne(messages: readonly MessageView[] = [], text: string): MessageView | undefined {
  const found = messages.filter(({ content }) => content === text);
  return found.length === 1 ? found[0] : undefined;
}

/** Waits until no process has anything to tell the core. */
async function settled(): Promise<void> {
  const requests = (await model.journal()).filter(({ type }) => type === "request").length;
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
    const { items } = await client.ledger.costs();
    if (items.reduce((sum, { calls }) => sum + calls, 0) >= requests) return;
  }
}

function ledger() {
  const state = new StateFiles(kernel.state);
  const rows = state.core.all("SELECT * FROM calls");
  state.close();
  return rows;
}

/** What the vendor answered whole. */
function textsOf(journal: readonly JournalEntry[]): string[] {
  const whole = journal.filter((entry) => entry.type === "reply" && entry.fault === null);
  return whole.map((entry) => (entry.type === "reply" ? entry.text : "")).sort();
}

/** What the doubling queue said that it delivered. */
function deliveriesOf(stderr: string): { messages: number; deliveries: number } {
  const total = { messages: 0, deliveries: 0 };
  for (const [line] of stderr.matchAll(/\{"event":"test\.delivered".*\}/g)) {
    const { messages, deliveries } = JSON.parse(line) as typeof total;
    total.messages += messages;
    total.deliveries += deliveries;
  }
  return total;
}

function report(
  lane: string,
  seconds: number,
  journal: readonly JournalEntry[],
  queue: ReturnType<typeof deliveriesOf>,
): void {
  const requests = journal.filter(({ type }) => type === "request").length;
  const whole = AGENTS * (MESSAGES + 1);
  const figures = [`${whole} calls in ${seconds.toFixed(1)} s, ${(whole / seconds).toFixed(1)} calls/s`];
  figures.push(`${requests - whole} answers failed and were asked for again`);
  if (queue.messages > 0) {
    const { messages, deliveries } = queue;
    figures.push(`${messages} queue messages delivered ${deliveries} times, ${deliveries - requests} refused`);
  }
  console.log(`${lane} lane: ${figures.join("; ")}`);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it is not there, or not once");
  return value;
}
