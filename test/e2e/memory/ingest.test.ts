import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** What five megabytes of text cost the runtime. Figures are printed; the test asserts what must not depend on the machine's speed. */

const BYTES = 5_000_000;
const MIB = 1024 * 1024;
const FURTHER = 5;
const ROOT = resolve(import.meta.dirname, "../../../node_modules");

/** The type declarations of the installed packages, in a stable order, as one text. */
function text(): string {
  const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"));
  let all = "";
  for (const name of files.sort()) {
    if (all.length >= BYTES) break;
    all += `${readFileSync(resolve(ROOT, name), "utf8")}\n`;
  }
  return all.slice(0, BYTES);
}

function residentMib(pid: number): number {
  const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  return (kib * 1024) / MIB;
}

describe("five megabytes of text", () => {
  let kernel: KernelProcess;
  let client: KernelClient;

  beforeAll(async () => {
    kernel = await KernelProcess.start();
    client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  });

  afterAll(() => kernel.dispose());

  /** Ingests until everything that leaves SQLite has left it; answers the highest resident memory seen. */
  async function ingest(content: string): Promise<{ ms: number; spilledMs: number; peakMib: number; id: string; pages: number }> {
    const { id } = await client.agents.spawn({ name: "Reader", role: "reader", goal: "wait", daemon: true, model: "local/reader" });
    await client.agents.wait(id);
    let peakMib = 0;
    let done = false;
    const watch = (async () => {
      for (; !done; await sleep(20)) peakMib = Math.max(peakMib, residentMib(kernel.workerdPid));
    })();
    const begun = performance.now();
    const pages = await client.pages.add(id, { content, source: "types.d.ts" });
    const ms = performance.now() - begun;
    await settled(id, pages.length);
    const spilledMs = performance.now() - begun;
    done = true;
    await watch;
    return { ms, spilledMs, peakMib, id, pages: pages.length };
  }

  async function settled(id: string, pages: number): Promise<void> {
    for (let i = 0; i < 600; i++) {
      const { context } = await client.agents.get(id);
      if (context.coldPages > pages / 2 && context.hotPages + context.warmPages + context.coldPages >= pages) return;
      await sleep(50);
    }
    throw new Error("the pages never left SQLite");
  }

  test("are ingested, spilled and erased again and again without the runtime growing", async () => {
    const content = text();
    const before = residentMib(kernel.workerdPid);
    const first = await ingest(content);
    await client.agents.erase(first.id);
    const peaks: number[] = [];
    for (let i = 0; i < FURTHER; i++) {
      const { id, peakMib } = await ingest(content);
      peaks.push(peakMib);
      await client.agents.erase(id);
    }
    const round = (value: number) => Math.round(value);
    console.log(
      `5 MB: ${round(first.ms)} ms until acknowledged, ${round(first.spilledMs)} ms until spilled, ${first.pages} pages; ` +
        `memory ${round(before)} MiB before, ${round(first.peakMib)} at most, then ${peaks.map(round).join(", ")}`,
    );
    expect(first.peakMib - before).toBeLessThan(150);
    expect(Math.min(...peaks.slice(-2)) - first.peakMib).toBeLessThan(32);
  });
});
