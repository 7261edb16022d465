import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, type V4WorkerOptions } from "miniflare";
import { afterEach, beforeEach, it } from "vitest";
import { CronTicker } from "../../clients/sdk/runtime/cron-ticker.ts";
import { miniflareOptions, RuntimeLog } from "../../clients/sdk/runtime/miniflare-options.ts";

/** A Worker that says much about every request, and counts its triggers. */
const TALKATIVE = `
let ticks = 0;
export default {
  fetch() {
    for (let line = 0; line < 100; line++) console.log("x".repeat(4_000));
    return new Response(String(ticks));
  },
  scheduled({ cron }) {
    if (cron === "* * * * * *") ticks++;
  },
};`;
const OPTIONS = { name: "talkative", compatibilityDate: "2026-11-02", cronTriggers: ["* * * * * *"] };
const TICKS = 3;
const CLIENTS = 100;

let state: string;
let miniflare: Miniflare;
let ticker: CronTicker;

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), "aos-cron-"));
  const log = new RuntimeLog({ verbose: false });
  const worker: V4WorkerOptions = { ...OPTIONS, modules: true, script: TALKATIVE };
  miniflare = new Miniflare(miniflareOptions({ stateDir: state, workerdEnvironment: {}, log }, [worker]));
  await miniflare.ready;
  ticker = new CronTicker(miniflare, OPTIONS);
});

afterEach(async () => {
  ticker.stop();
  await miniflare.dispose();
  rmSync(state, { recursive: true, force: true });
});

it("a cron trigger reaches the Worker, whatever it is saying meanwhile", { timeout: 60_000 }, async () => {
  const url = await miniflare.ready;
  const talk = async (): Promise<void> => {
    for (;;) {
      const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
      if (Number(await response.text()) >= TICKS) return;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, talk));
});
