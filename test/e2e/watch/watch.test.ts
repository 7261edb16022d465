import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { eventually, KernelProcess } from "../runtime/kernel-process.ts";

/** A client of the event stream that resumes where it was cut, while workerd is killed under it. */

const MESSAGES = 6;
const KILL_AFTER = [2, 4];
const PATIENCE_MS = 60_000;
const AGAIN_MS = 50;

let kernel: KernelProcess;
let client: KernelClient;

beforeEach(async () => {
  kernel = await KernelProcess.start();
  client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
});

afterEach(async () => {
  await kernel.dispose();
});

/** Everything the stream ever said about the agent, over as many connections as it takes to come to its end. */
async function watch(id: string): Promise<{ ids: number[]; connections: number }> {
  const ids: number[] = [];
  let connections = 0;
  for (const end = Date.now() + 2 * PATIENCE_MS; Date.now() < end; await sleep(AGAIN_MS)) {
    connections++;
    const over = await follow(id, ids).catch(() => false);
    if (over) return { ids, connections };
  }
  throw new Error(`no end after ${connections} connections`);
}

/** One connection; true when it came to the end. */
async function follow(id: string, ids: number[]): Promise<boolean> {
  const headers = { authorization: `Bearer ${kernel.adminKey}`, "last-event-id": String(ids.at(-1) ?? 0) };
  const response = await fetch(`${kernel.url}/v1/agents/${id}/events`, { headers });
  if (!response.ok || response.body === null) return false;
  const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>;
  for await (const event of response.body.pipeThrough(decoder).pipeThrough(new EventSourceParserStream())) {
    if (event.event === "end") return true;
    if (event.id !== undefined) ids.push(Number(event.id));
  }
  return false;
}

test("a watcher sees every event once, in order, though workerd is killed, and its end only at the end", async () => {
  const spec = { name: "Watched", role: "r", goal: "call calculate on 1+1", model: "local/reader", daemon: true };
  const { id } = await client.agents.spawn(spec);
  const watching = watch(id);
  for (let message = 0; message < MESSAGES; message++) {
    const content = `call calculate on ${message}*7`;
    const send = () => client.messages.send(id, content, { waitSeconds: 60, idempotencyKey: `message-${message}` });
    const { reply } = await send().catch(() => sleep(1_000).then(send));
    expect(reply).toContain(String(message * 7));
    if (!KILL_AFTER.includes(message)) continue;
    const killed = kernel.workerdPid;
    process.kill(killed, "SIGKILL");
    expect(await eventually(() => kernel.workerdPid !== killed, PATIENCE_MS)).toBe(true);
  }
  await client.agents.signal(id, "KILL");
  const { ids, connections } = await watching;
  expect(ids).toEqual(ids.map((_, i) => i + 1));
  expect(ids.length).toBeGreaterThan(MESSAGES);
  expect(connections).toBeGreaterThan(KILL_AFTER.length);
});
