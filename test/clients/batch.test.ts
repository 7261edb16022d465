import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../clients/sdk/client/client.ts";
import { aos, type Ended, KernelProcess } from "../e2e/runtime/kernel-process.ts";

/** `aos batch` and its routes of the SDK, once through the real runtime. */

describe("aos batch", () => {
  const folder = mkdtempSync(join(tmpdir(), "aos-batch-"));
  let kernel: KernelProcess;

  beforeAll(async () => {
    kernel = await KernelProcess.start();
  });

  afterAll(async () => {
    await kernel.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  function cli(...line: string[]): Promise<Ended> {
    return aos(line, { AOS_STATE: kernel.state });
  }

  test("starts a batch from a file, shows it, waits for it, and prints its results", async () => {
    const file = requests("sums.jsonl", 3);
    const created = await cli("batch", "create", file, "--once", "sums", "--wait");
    expect(created.code).toBe(0);
    const id = /batch_\w+/.exec(created.stdout)?.[0] ?? "";
    expect((await cli("batch", "create", file, "--once", "sums")).stdout.trim()).toBe(id);
    expect((await cli("batch", "show", id)).stdout).toMatch(/^done +3\/3$/m);
    expect((await cli("batch", "wait", id)).code).toBe(0);
    const { stdout } = await cli("batch", "results", id);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id)).toEqual(["c-0", "c-1", "c-2"]);

    const client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
    expect(await new Response(await client.batches.resultsFile(id)).text()).toBe(stdout);
    const listed = await Array.fromAsync(client.batches.list());
    expect(listed).toMatchObject([{ id, progress: { total: 3 } }]);
    expect((await cli("batch", "ls")).stdout).toContain(id);
  });

  test("cancels one, and says no when it has ended", async () => {
    // Without a budget it waits, and is under way for as long as the story takes.
    await budget({ tokens: 0 });
    const { stdout } = await cli("batch", "create", requests("waits.jsonl", 2));
    const id = stdout.trim();
    expect((await cli("batch", "results", id)).code).toBe(1);
    expect((await cli("batch", "cancel", id)).stdout).toBe("cancelling\n");
    expect((await cli("batch", "wait", id)).code).toBe(1);
    expect((await cli("batch", "cancel", id)).code).toBe(1);
    expect((await cli("batch", "create", join(folder, "nowhere.jsonl"))).code).toBe(2);
  });

  async function budget(quotas: Record<string, number>): Promise<void> {
    const headers = { authorization: `Bearer ${kernel.adminKey}`, "content-type": "application/json" };
    const set = await fetch(`${kernel.url}/v1/quotas`, { method: "PUT", headers, body: JSON.stringify(quotas) });
    expect(set.status).toBe(200);
  }

  function requests(name: string, count: number): string {
    const path = join(folder, name);
    const lines = Array.from({ length: count }, (_, i) => {
      const messages = [{ role: "user", content: `call calculate on ${i} + 1` }];
      return JSON.stringify({ custom_id: `c-${i}`, body: { model: "local/reader", messages, max_tokens: 64 } });
    });
    writeFileSync(path, lines.join("\n"));
    return path;
  }
});
