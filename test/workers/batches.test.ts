import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../kernel/limits.ts";
import type { BatchView } from "../../kernel/llm/batch/job-state.ts";
import { wakeBatches } from "../../workers/cron/wake-batches.ts";
import type { Env } from "../../workers/env.ts";
import { eventually } from "../support/tenant.ts";
import { boot, json, problem, request } from "./kernel-client.ts";

/** `/v1/batches` on the real objects, with the embedded model. */

beforeAll(boot);

const one = (customId: string, content = "call calculate on 6*7") => ({
  customId,
  model: "local/reader",
  messages: [{ role: "user", content }],
});
const line = (id: string, model = "local/reader") =>
  JSON.stringify({
    custom_id: id,
    method: "POST",
    url: "/v1/chat/completions",
    body: { model, messages: [{ role: "user", content: "call calculate on 6*7" }], max_tokens: 64 },
  });
const LINES = { "Content-Type": "application/jsonl" };

function create(requests: object[], headers: Record<string, string> = {}): Promise<BatchView> {
  return json<BatchView>(201, "POST", "/v1/batches", { body: { requests }, headers });
}

function ended(id: string): Promise<BatchView> {
  const over = ({ state }: BatchView) => ["completed", "failed", "expired", "cancelled"].includes(state);
  return eventually(() => json<BatchView>(200, "GET", `/v1/batches/${id}`), over, 15_000);
}

async function results(id: string, headers: Record<string, string> = {}): Promise<Response> {
  return request("GET", `/v1/batches/${id}/results`, { headers });
}

async function listed(): Promise<string[]> {
  const { items } = await json<{ items: { id: string }[] }>(200, "GET", "/v1/batches?limit=200");
  return items.map(({ id }) => id);
}

describe("a batch in JSON", () => {
  test("is listed at once, ends completed, and has one result a request", async () => {
    const { id, state, progress } = await create([one("a"), one("b"), one("c")]);
    expect([state, progress]).toEqual(["queued", { total: 3, completed: 0, failed: 0 }]);
    expect(await listed()).toContain(id);
    expect(await ended(id)).toMatchObject({ state: "completed", progress: { total: 3, completed: 3, failed: 0 } });
    const response = await results(id);
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/jsonl; charset=utf-8"]);
    const lines = (await response.text())
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(lines.map(({ custom_id }) => custom_id)).toEqual(["a", "b", "c"]);
    expect(lines[0]).toMatchObject({
      response: { status_code: 200, body: { object: "chat.completion" } },
      error: null,
    });
    const { items } = await json<{ items: { key: string; calls: number }[] }>(200, "GET", "/v1/costs?groupBy=agent");
    expect(items.find(({ key }) => key === `batch:${id}`)).toMatchObject({ calls: 3 });
  });

  test("shows any range of its results", async () => {
    const { id } = await create([one("a"), one("b")]);
    await ended(id);
    const whole = await (await results(id)).text();
    const part = await results(id, { Range: "bytes=5-24" });
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes 5-24/${whole.length}`]);
    expect(await part.text()).toBe(whole.slice(5, 25));
    expect(await (await results(id, { Range: "bytes=-7" })).text()).toBe(whole.slice(-7));
    const behind = await results(id, { Range: `bytes=${whole.length}-` });
    expect([behind.status, behind.headers.get("Content-Range")]).toEqual([416, `bytes */${whole.length}`]);
  });

  test("is made once for an Idempotency-Key, and refused for another body", async () => {
    const headers = { "Idempotency-Key": "batch-once" };
    const [first, second] = await Promise.all([create([one("a")], headers), create([one("a")], headers)]);
    expect(second.id).toBe(first.id);
    expect((await create([one("a")], headers)).id).toBe(first.id);
    const other = { body: { requests: [one("z")] }, headers };
    await problem(422, "idempotency_mismatch", "POST", "/v1/batches", other);
    expect((await listed()).filter((id) => id === first.id)).toHaveLength(1);
  });

  test("with a bad request is refused as a whole, by its place", async () => {
    const before = await listed();
    const requests = [one("a"), { ...one("b"), model: "nobody/model" }, one("a")];
    const { errors } = await problem(422, "invalid_input", "POST", "/v1/batches", { body: { requests } });
    expect(errors?.map(({ path }) => path)).toEqual(["$.requests[1].model", "$.requests[2].customId"]);
    expect(await listed()).toEqual(before);
  });
});

describe("a batch in JSON Lines", () => {
  test("is read as a stream, with or without a last line feed, empty lines aside", async () => {
    const text = `${line("a")}\n\n${line("b")}\r\n${line("c")}`;
    const bytes = new TextEncoder().encode(text);
    const raw = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < bytes.length; i += 50) controller.enqueue(bytes.slice(i, i + 50));
        controller.close();
      },
    });
    const { id, progress } = await json<BatchView>(201, "POST", "/v1/batches", { raw, headers: LINES });
    expect(progress.total).toBe(3);
    expect(await ended(id)).toMatchObject({ state: "completed", progress: { completed: 3 } });
  });

  test("names the line that is bad, and nothing of it is accepted", async () => {
    const before = await listed();
    const raw = [line("a"), "{not json", line("a"), line("d").replace("max_tokens", "top_k")].join("\n");
    const refused = await problem(422, "invalid_input", "POST", "/v1/batches", { raw, headers: LINES });
    expect(refused.detail).toContain("line 2");
    expect(refused.errors?.map(({ path }) => path)).toEqual(["line 2", "line 3.customId", "line 4.body"]);
    expect(await listed()).toEqual(before);
  });

  test("of another type, of no text, or empty is refused", async () => {
    const csv = { raw: "a,b", headers: { "Content-Type": "text/csv" } };
    await problem(415, "unsupported_media_type", "POST", "/v1/batches", csv);
    await problem(400, "invalid_json", "POST", "/v1/batches", { raw: new Uint8Array([0x7b, 0xff]), headers: LINES });
    await problem(422, "invalid_input", "POST", "/v1/batches", { raw: "\n\n", headers: LINES });
  });
});

describe("a batch that has not ended", () => {
  test("has no results yet, and can be cancelled once", async () => {
    const { id } = await create(Array.from({ length: 300 }, (_, i) => one(`c-${i}`)));
    const cancelled = await request("DELETE", `/v1/batches/${id}`);
    expect(cancelled.status).toBe(202);
    const end = await ended(id);
    expect(end.state).toBe("cancelled");
    expect(end.progress.completed + end.progress.failed).toBe(300);
    const lines = (await (await results(id)).text()).trimEnd().split("\n");
    expect(lines).toHaveLength(300);
    await problem(409, "conflict", "DELETE", `/v1/batches/${id}`);
  });

  test("erases itself when it was uploaded and never accepted, and starts itself when it was", async () => {
    const { BATCHES, DB } = env as unknown as { BATCHES: DurableObjectNamespace; DB: D1Database };
    const { id } = await create([one("a")]);
    await ended(id);
    const stub = (name: string) => BATCHES.getByName(`default/${name}`);
    type Job = { begin(actor: string): Promise<unknown>; add(at: number, r: object[]): Promise<unknown> };
    type Sealed = { seal(total: number): Promise<unknown>; alarm(): Promise<void> };
    const play = async (name: string) => {
      const job = stub(name) as unknown as Job & Sealed;
      await job.begin("key:test");
      await job.add(0, [{ ...one("a"), tools: [], maxOutputTokens: 64 }]);
      await job.seal(1);
      await runInDurableObject(stub(name), async (object, { storage }) => {
        storage.sql.exec("UPDATE job SET created_at = 1");
        await (object as unknown as Sealed).alarm();
      });
      return runInDurableObject(stub(name), (_object, { storage }) => {
        const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'job'").toArray();
        return tables.length === 0 ? null : storage.sql.exec("SELECT state FROM job").one()["state"];
      });
    };
    expect(await play("batch_never")).toBeNull();
    const row = "INSERT INTO batches VALUES ('batch_accepted', 'default', 'queued', 1, 0, 0, 1, 1)";
    await DB.prepare(row).run();
    expect(await play("batch_accepted")).not.toBe("uploading");
  });
});

describe("a batch that ended long ago", () => {
  const job = (id: string) => {
    const { BATCHES } = env as unknown as { BATCHES: DurableObjectNamespace };
    return BATCHES.getByName(`default/${id}`);
  };

  test("is erased with its results when its time is over, and not before", async () => {
    const { id } = await create([one("a")]);
    await ended(id);
    const alarm = (finishedAt: number) =>
      runInDurableObject(job(id), async (object, { storage }) => {
        storage.sql.exec("UPDATE job SET finished_at = ?", finishedAt);
        await (object as unknown as { alarm(): Promise<void> }).alarm();
        return storage.getAlarm();
      });
    const now = Date.now();
    expect(await alarm(now)).toBe(now + LIMITS.batchKeepMs);
    expect((await results(id)).status).toBe(200);
    const { PAGES, DB } = env as unknown as { PAGES: R2Bucket; DB: D1Database };
    const kept = async () => (await PAGES.list({ prefix: `default/${id}/` })).objects.length;
    expect(await kept()).toBe(1);
    expect(await alarm(now - LIMITS.batchKeepMs)).toBeNull();
    expect((await request("GET", `/v1/batches/${id}`)).status).toBe(404);
    expect(await kept()).toBe(0);
    expect((await DB.prepare("SELECT 1 FROM batches WHERE id = ?").bind(id).all()).results).toEqual([]);
  });

  test("or fell silent is woken by cron, once an hour", async () => {
    const { DB } = env as unknown as { DB: D1Database };
    const { id } = await create([one("a")]);
    await ended(id);
    const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000 + 3_600_000;
    const alarm = () => runInDurableObject(job(id), (_object, { storage }) => storage.getAlarm());
    const tick = async (at: number) => {
      await DB.prepare("UPDATE batches SET state = 'running', as_of = ? WHERE id = ?")
        .bind(at - LIMITS.batchSilentMs - 1, id)
        .run();
      await runInDurableObject(job(id), (_object, { storage }) => storage.deleteAlarm());
      await wakeBatches(env as unknown as Env, at);
      return alarm();
    };
    expect(await tick(hour + 120_000)).toBeNull();
    expect(await tick(hour)).not.toBeNull();
  });
});
