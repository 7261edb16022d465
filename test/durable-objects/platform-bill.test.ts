import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CoreGrants } from "../../durable-objects/core/rpc.ts";
import { PLATFORM_PRICES } from "../../kernel/platform/platform-prices.ts";
import type { PlatformBill } from "../../kernel/platform/platform-usage.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** What an agent is told that it takes of the platform, against what its object and its core really do. */

afterEach(() => {
  vi.restoreAllMocks();
});

type Rows = { rowsRead: number; rowsWritten: number };
type Bill = Pick<PlatformBill, "requests" | "rowsRead" | "rowsWritten">;

/** Counts every cursor of the object's SQLite and every alarm that it sets, from now on. */
async function watched(stub: DurableObjectStub): Promise<() => Rows> {
  const cursors: Rows[] = [];
  let alarms = 0;
  await runInDurableObject(stub, (_object, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    const setAlarm = storage.setAlarm.bind(storage);
    Object.assign(storage.sql, {
      exec: (...statement: Parameters<typeof exec>) => {
        const cursor = exec(...statement);
        cursors.push(cursor);
        return cursor;
      },
    });
    Object.assign(storage, {
      setAlarm: (at: number) => {
        alarms += 1;
        return setAlarm(at);
      },
    });
  });
  const sum = (name: keyof Rows) => cursors.reduce((all, cursor) => all + cursor[name], 0);
  return () => ({ rowsRead: sum("rowsRead"), rowsWritten: sum("rowsWritten") + alarms });
}

/** Keeps what the core says that its answers to agents took. */
async function answersOf(tenant: TestTenant): Promise<Rows[]> {
  const shares: Rows[] = [];
  await runInDurableObject(tenant.coreStub, (object) => {
    const core = classOf(object);
    const answer = core.settleAndGrant;
    vi.spyOn(core, "settleAndGrant").mockImplementation(async function (this: CoreGrants, ...asked) {
      const reply = await answer.apply(this, asked);
      if (reply.rows !== undefined) shares.push(reply.rows);
      return reply;
    });
  });
  return shares;
}

/** Whoever is reached by RPC answers with the methods of its class. */
function classOf(object: object): CoreGrants {
  let found: object = object;
  while (!Object.hasOwn(found, "settleAndGrant")) found = Object.getPrototypeOf(found) as object;
  return found as CoreGrants;
}

function grown(before: Bill, now: Bill): Bill {
  const { requests, rowsRead, rowsWritten } = now;
  return {
    requests: requests - before.requests,
    rowsRead: rowsRead - before.rowsRead,
    rowsWritten: rowsWritten - before.rowsWritten,
  };
}

/** Until the process has told its core everything and set no alarm: from then on it does nothing. */
async function rested(tenant: TestTenant, id: string): Promise<void> {
  const alarm = () => runInDurableObject(tenant.stub(id), (_object, { storage }) => storage.getAlarm());
  await eventually(alarm, (at) => at === null);
}

async function restingDaemon(tenant: TestTenant): Promise<string> {
  const id = await tenant.daemon();
  await rested(tenant, id);
  return id;
}

describe("an agent that makes steps", () => {
  test("is shown the rows that a count of the cursors gives, with those of the core's answers", async () => {
    const tenant = new TestTenant();
    const id = await restingDaemon(tenant);
    const shares = await answersOf(tenant);
    const { usage: before } = await tenant.block(id);
    const counted = await watched(tenant.stub(id));
    for (const sum of ["1+1", "2+2", "3+3"]) await tenant.ask(id, `call calculate on ${sum}`);
    await rested(tenant, id);
    const { usage } = await tenant.block(id);
    const own = counted();
    const core = (name: keyof Rows) => shares.reduce((all, share) => all + share[name], 0);
    expect(usage.steps - before.steps).toBe(6);
    expect(shares.length).toBeGreaterThanOrEqual(6);
    expect(core("rowsWritten")).toBeGreaterThan(0);
    expect(grown(before.platform, usage.platform)).toMatchObject({
      rowsRead: own.rowsRead + core("rowsRead"),
      rowsWritten: own.rowsWritten + core("rowsWritten"),
    });
    expect(usage.platform.costNanoUsd).toBeGreaterThan(usage.platform.rowsWritten * PLATFORM_PRICES.rowWrittenNanoUsd);
  });

  test("is told the same by the core, for as much as it has reported, and keeps it when its object is evicted", async () => {
    const tenant = new TestTenant();
    const id = await restingDaemon(tenant);
    await tenant.ask(id, "call calculate on 2+2");
    await rested(tenant, id);
    const { usage } = await tenant.block(id);
    const bill = async () => {
      const { items, platform } = value(await tenant.core.costs({ groupBy: "agent" }));
      expect(items.map(({ key, platform }) => [key, platform])).toEqual([[id, platform]]);
      return platform;
    };
    const { rowsWritten } = await bill();
    expect(rowsWritten).toBeGreaterThan(0);
    expect(rowsWritten).toBeLessThanOrEqual(usage.platform.rowsWritten);
    await evictDurableObject(tenant.stub(id));
    const { platform } = (await tenant.block(id)).usage;
    expect(platform.rowsWritten).toBeGreaterThanOrEqual(rowsWritten);
    await tenant.ask(id, "call calculate on 3+3");
    expect((await bill()).rowsWritten).toBeGreaterThan(platform.rowsWritten);
  });
});

describe("an agent that is idle", () => {
  test("costs nothing but what it costs to be looked at", async () => {
    const tenant = new TestTenant();
    const id = await restingDaemon(tenant);
    const counted = await watched(tenant.stub(id));
    const { usage: before } = await tenant.block(id);
    const look = counted();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { usage: after } = await tenant.block(id);
    expect(grown(before.platform, after.platform)).toEqual({ requests: 1, ...look });
    expect(look.rowsWritten).toBe(0);
    expect(after.platform.gbSeconds - before.platform.gbSeconds).toBeLessThan(0.128);
  });
});
