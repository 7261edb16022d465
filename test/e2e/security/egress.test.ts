import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { figure } from "../../security/figure.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { privateUrls } from "../../support/private-spellings.ts";
import { ToolServer } from "../../support/tool-server/client.ts";
import { KernelProcess, stateFolder } from "../runtime/kernel-process.ts";
import { Canary } from "./canary.ts";

/**
 * The egress guard from the outside: a model of the highest level asks for every private spelling there is, at once and by
 * way of a host that is allowed, while a canary listens on this machine.
 */

const CALLS_PER_STEP = 32;
const STEPS_PER_AGENT = 8;
const ENDED_MS = 120_000;

let model: ModelServer;
let tools: ToolServer;
let canary: Canary;
let kernel: KernelProcess;
let client: KernelClient;

beforeAll(async () => {
  model = await ModelServer.start();
  tools = await ToolServer.start();
  canary = await Canary.start();
  kernel = await KernelProcess.start(stateFolder(), {
    OPENAI_API_KEY: "test",
    OPENAI_BASE_URL: model.baseUrl,
    AOS_EGRESS_ALLOW: tools.host,
  });
  client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
});

afterAll(async () => {
  await kernel.dispose();
  await Promise.all([model.stop(), tools.stop(), canary.stop()]);
});

interface Ended {
  ok: boolean | null;
  code: string | undefined;
}

/** Has agents fetch all of `urls`; answers how each call ended. */
async function fetched(urls: readonly string[], level: "STANDARD" | "FULL", hosts: string[] = []): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (const share of chunks(urls, CALLS_PER_STEP * STEPS_PER_AGENT))
    ended.push(...(await oneAgent(share, level, hosts)));
  return ended;
}

async function oneAgent(
  urls: readonly string[],
  permissionLevel: "STANDARD" | "FULL",
  hosts: string[],
): Promise<Ended[]> {
  const steps = chunks(urls, CALLS_PER_STEP).map((share) => ({
    toolCalls: share.map((url) => ({ name: "web_fetch", arguments: { url } })),
  }));
  await model.script({ queue: [...steps, { text: "done" }] });
  const spec = { name: "Fetcher", role: "fetcher", goal: "fetch", model: "openai/test" };
  const { id } = await client.agents.spawn({ ...spec, permissionLevel, grants: { hosts } });
  for (const end = Date.now() + ENDED_MS; (await client.agents.get(id)).state !== "terminated"; await sleep(50)) {
    if (Date.now() > end) throw new Error("the fetcher did not end");
  }
  const journal = await Array.fromAsync(client.agents.steps(id));
  return journal.flatMap((step) => step.toolCalls).map(({ ok, code }) => ({ ok, code }));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** What `http` headers can carry: a server that redirects sends bytes. */
function redirecting(url: string): string {
  return `${tools.url}/go?to=${encodeURIComponent(Buffer.from(url.replaceAll(/[\t\n]/g, "")).toString("latin1"))}`;
}

const REFUSED = ["forbidden", "invalid_input"];

describe("of over a thousand private spellings", () => {
  test("several would reach the canary, if nobody stood in between", async () => {
    const urls = privateUrls(canary.port);
    await Promise.all(urls.slice(0, 40).map((url) => fetch(url).catch(() => null)));
    expect(canary.connections).toBeGreaterThan(5);
  });

  let askedFor = 0;

  test("none reaches it, asked for at once", { timeout: 300_000 }, async () => {
    const before = canary.connections;
    const urls = privateUrls(canary.port);
    const ended = await fetched(urls, "FULL");
    expect(ended).toHaveLength(urls.length);
    expect(ended.length).toBeGreaterThan(1_000);
    expect(ended.filter(({ ok, code = "" }) => ok !== false || !REFUSED.includes(code))).toEqual([]);
    expect(canary.connections - before).toBe(0);
    askedFor = ended.length;
  });

  test("none reaches it by way of a redirect from a host that is allowed", { timeout: 300_000 }, async () => {
    const before = canary.connections;
    const urls = privateUrls(canary.port).map(redirecting);
    const ended = await fetched(urls, "FULL");
    expect(ended.length).toBeGreaterThan(1_000);
    expect(await tools.acts("/go")).toBe(ended.length);
    // What is no URL is no redirect: the answer is the redirect itself.
    const followed = ended.filter(({ ok }) => ok !== true);
    expect(followed.length).toBeGreaterThan(900);
    expect(followed.filter(({ code = "" }) => !REFUSED.includes(code))).toEqual([]);
    expect(canary.connections - before).toBe(0);
    figure("S3", `${askedFor} private URLs asked for, ${ended.length} by redirect: 0 reached the canary`);
  });
});

describe("fifty good requests", () => {
  test("pass: to an allowed host, with redirects on it", async () => {
    const urls = Array.from({ length: 50 }, (_, i) => {
      const there = `${tools.url}/good/${i}`;
      return i % 2 === 0 ? there : `${tools.url}/hop?to=${encodeURIComponent(i % 3 === 0 ? there : `/good/${i}`)}`;
    });
    const ended = await fetched(urls, "STANDARD", [tools.host]);
    expect(ended.filter(({ ok }) => ok !== true)).toEqual([]);
    const paths = (await tools.journal()).filter(({ type }) => type === "act").map(({ path }) => path);
    expect(new Set(paths.filter((path) => path.startsWith("/good/"))).size).toBe(50);
    figure("S3", "50 good URLs: 50 passed");
  });

  test("do not pass for a process that was granted another host", async () => {
    const acts = async () => (await tools.journal()).length;
    const before = await acts();
    const [refused] = await fetched([`${tools.url}/good/1`], "STANDARD", ["example.com"]);
    expect(refused).toMatchObject({ ok: false, code: "forbidden" });
    const [port] = await fetched([`${tools.url}/good/1`], "STANDARD", ["127.0.0.1:1"]);
    expect(port).toMatchObject({ ok: false, code: "forbidden" });
    expect(await acts()).toBe(before);
  });
});
