import { afterEach, describe, expect, test } from "vitest";
import { GatedKernel, mostAtOnce, mostWithin } from "./gated-kernel.ts";

/** Limits of a vendor account under load from several tenants. The model server's journal is the oracle. */

let kernel: GatedKernel;
afterEach(() => kernel.stop());

const SLOW = { rules: [{ reply: { text: "done", latencyMs: 300 } }] };

describe("500 calls of three tenants through an account of 8 at once and 600 a minute", () => {
  test("never exceed either, and a tenant that floods does not starve the others", async () => {
    kernel = await GatedKernel.start("concurrency=8,requestsPerMinute=600");
    await kernel.model.script(SLOW);
    const names = ["flood", "small", "late"];
    const tenants = await Promise.all(names.map(async (name) => (await kernel.client().tenants.create(name)).id));
    const [flood = "", small = "", late = ""] = tenants;
    const flooding = await kernel.daemons(40, flood);
    const flooded = await kernel.send(
      flooding,
      Array.from({ length: 9 }, (_, n) => `f${n}`),
      flood,
    );
    const begun = Date.now();
    const times: number[] = [];
    for (const tenant of [small, late]) {
      const agents = await kernel.daemons(10, tenant);
      const sent = await kernel.send(agents, ["1", "2", "3", "4"], tenant);
      await kernel.ended(sent, 120_000, tenant);
      times.push(Date.now() - begun);
    }
    const all = await kernel.ended(flooded, 200_000, flood);
    const tookMs = Date.now() - begun;
    expect(all.map(({ state }) => state)).toEqual(all.map(() => "answered"));
    const calls = await kernel.calls();
    console.log(
      `${calls.length} calls in ${tookMs} ms; small tenants done after ${times.join(", ")} ms; ` +
        `at most ${mostAtOnce(calls)} at once, ${mostWithin(calls, 60_000)} a minute`,
    );
    expect(calls).toHaveLength(500);
    expect(mostAtOnce(calls)).toBeLessThanOrEqual(8);
    expect(mostWithin(calls, 60_000)).toBeLessThanOrEqual(600);
    expect(times.at(-1)).toBeLessThan(tookMs);
  }, 280_000);
});
