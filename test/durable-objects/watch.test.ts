import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** Those who watch while the object sleeps, wakes and is another instance than before. */

describe("a watcher", () => {
  test("keeps no object awake, and misses and repeats nothing when the object is evicted under it", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const seen = await watch(tenant, id);
    const instances: object[] = [];
    for (let round = 0; round < 3; round++) {
      await tenant.ask(id, `call calculate on ${round}+1`);
      const alarm = () => runInDurableObject(tenant.stub(id), (_object, { storage }) => storage.getAlarm());
      await eventually(alarm, (at) => at === null);
      instances.push(await runInDurableObject(tenant.stub(id), (object) => object));
      await evictDurableObject(tenant.stub(id));
    }
    expect(new Set(instances).size).toBe(3);
    value(await tenant.agent(id).signal("KILL", "key:test"));
    const frames = await eventually(
      async () => seen,
      (all) => all.some(({ event }) => event === "end"),
    );
    const ids = frames.flatMap((frame) => (frame.id === undefined ? [] : [frame.id]));
    expect(ids).toEqual(ids.map((_, i) => i + 1));
    expect(frames.filter(({ event }) => event === "end")).toHaveLength(1);
    expect(frames.at(-1)?.event).toBe("end");
  });
});

type Frame = { id?: number; event: string };

/** What a socket that is opened now and never again gets to see. */
async function watch(tenant: TestTenant, id: string): Promise<Frame[]> {
  const response = await tenant.stub(id).fetch("https://agent/watch?after=0", { headers: { Upgrade: "websocket" } });
  const frames: Frame[] = [];
  response.webSocket?.addEventListener("message", ({ data }) => {
    frames.push(JSON.parse(String(data)) as Frame);
  });
  response.webSocket?.accept();
  return frames;
}
