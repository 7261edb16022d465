import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/**
 * What five megabytes of text, sent in one request, cost the runtime. Figures are printed. Asserted is what a busy machine
 * does not change: the time that workerd works, not the time that passes, and its resident memory.
 */

const BYTES = 5_000_000;
const FURTHER = 5;
/** Ingests over which nothing may drift, and the first that finds a runtime that has done all of it before. */
const MANY = 14;
const SETTLED = 2;
const INGEST_CPU_MS = 10_000;
const GROWTH_MIB = 150;
/** Of one measurement of memory against another. */
const NOISE = 1.05;
/** What the second ingest may leave beside the first. */
const ONCE = 1.15;
/** A collection may come a little later: of so many measurements the lowest counts. */
const LAST = 3;
const SETTLE_MS = 1_500;
const SPILL_POLLS = 1_200;
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
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** User and system time; the kernel counts hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Ingest {
  ms: number;
  cpuMs: number;
  spilledMs: number;
  pages: number;
  /** Resident memory at most, and after the agent was erased. */
  peakMib: number;
  restMib: number;
}

describe("five megabytes of text", () => {
  let kernel: KernelProcess;
  let client: KernelClient;
  let before = 0;
  const runs: Ingest[] = [];

  beforeAll(async () => {
    kernel = await KernelProcess.start();
    client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
    before = residentMib(kernel.workerdPid);
  });

  afterAll(() => kernel.dispose());

  /** A new agent takes the text in, spills what leaves SQLite, and is erased. */
  async function ingest(content: string): Promise<Ingest> {
    const spec = { name: "Reader", role: "reader", goal: "wait", daemon: true, model: "local/reader" };
    const { id } = await client.agents.spawn(spec);
    await client.agents.wait(id);
    const pid = kernel.workerdPid;
    let peakMib = 0;
    const watch = setInterval(() => {
      peakMib = Math.max(peakMib, residentMib(pid));
    }, 20);
    const [begun, cpuBefore] = [performance.now(), cpuMs(pid)];
    const pages = await add(id, content);
    const [ms, cpu] = [performance.now() - begun, cpuMs(pid) - cpuBefore];
    await spilled(id, pages);
    const spilledMs = performance.now() - begun;
    await client.agents.erase(id);
    await sleep(SETTLE_MS);
    clearInterval(watch);
    return { ms, cpuMs: cpu, spilledMs, pages, peakMib, restMib: residentMib(pid) };
  }

  /** In one request: the client would send parts. */
  async function add(id: string, content: string): Promise<number> {
    const response = await fetch(`${kernel.url}/v1/agents/${id}/pages`, {
      method: "POST",
      headers: { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ content, source: "types.d.ts" }),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { pages: unknown[] }).pages.length;
  }

  async function spilled(id: string, pages: number): Promise<void> {
    for (let i = 0; i < SPILL_POLLS; i++) {
      const { context } = await client.agents.get(id);
      if (context.coldPages > pages / 2 && context.hotPages + context.warmPages + context.coldPages >= pages) return;
      await sleep(50);
    }
    throw new Error("the pages never left SQLite");
  }

  function report(): void {
    const all = (of: keyof Ingest) => runs.map((run) => Math.round(run[of]));
    console.log(
      `5 MB in ${runs[0]?.pages} pages; ms until acknowledged ${all("ms")}, of workerd's CPU ${all("cpuMs")}, ms until ` +
        `spilled ${all("spilledMs")}; MiB before ${Math.round(before)}, at most ${all("peakMib")}, erased ${all("restMib")}`,
    );
  }

  const highest = (some: readonly Ingest[], of: "peakMib" | "restMib") => Math.max(...some.map((run) => run[of]));
  const lowest = (some: readonly Ingest[], of: "peakMib" | "restMib") => Math.min(...some.map((run) => run[of]));

  test("are ingested, spilled and erased again and again without the runtime growing", async () => {
    const content = text();
    for (let i = 0; i <= FURTHER; i++) runs.push(await ingest(content));
    report();
    for (const run of runs) {
      expect(run.cpuMs).toBeLessThan(INGEST_CPU_MS);
      expect(run.peakMib - before).toBeLessThan(GROWTH_MIB);
    }
    // The second finds the allocator's free memory in pieces that the first left, and adds once to it; the later ones add nothing
    // (docs/decisions/0009-ingest-memory.md).
    const [first, second, ...later] = runs;
    expect(second?.restMib).toBeLessThan((first?.restMib ?? 0) * ONCE);
    expect(lowest(later.slice(-LAST), "restMib")).toBeLessThan((second?.restMib ?? 0) * NOISE);
    expect(lowest(later.slice(-LAST), "peakMib")).toBeLessThan(highest(runs.slice(1, 1 + LAST), "peakMib") * NOISE);
  });

  test("leave nothing that adds up over fourteen times", async () => {
    const content = text();
    while (runs.length < MANY) runs.push(await ingest(content));
    report();
    const settled = runs.slice(SETTLED, SETTLED + LAST);
    for (const what of ["restMib", "peakMib"] as const) {
      expect(lowest(runs.slice(-LAST), what), what).toBeLessThan(lowest(settled, what) * NOISE);
    }
  });
});
