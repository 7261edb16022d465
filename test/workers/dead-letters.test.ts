import { beforeAll, describe, expect, test } from "vitest";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { CALLS, deliver, nextMessage } from "../support/calls-queue.ts";
import { TestTenant } from "../support/tenant.ts";
import { boot, json, problem } from "./kernel-client.ts";

beforeAll(() => boot());

const SPEC = { name: "sum", role: "adder", goal: "call calculate on 6*7", model: "local/reader", lane: "batch" };

describe("a dead letter", () => {
  test("is listed, retried once, and unknown from then on", async () => {
    const tenant = new TestTenant("default");
    const { id } = await json<ControlBlock>(201, "POST", "/v1/agents", { body: SPEC });
    const call = await nextMessage(tenant, id);
    await deliver([{ call }], `${CALLS}-dead`);
    const { items } = await json<{ items: object[] }>(200, "GET", "/v1/dead-letters");
    expect(items).toMatchObject([{ callId: call.callId, agentId: id, attempts: 1 }]);

    const path = `/v1/dead-letters/${call.callId}/retry`;
    expect(await json(202, "POST", path)).toMatchObject({ callId: call.callId });
    await problem(404, "not_found", "POST", path);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    expect((await tenant.until(id, (block) => block.state === "terminated")).result).toBe("6*7 = 42");
  });

  test("stays with its tenant", async () => {
    const { items } = await json<{ items: object[] }>(200, "GET", "/v1/dead-letters", { tenant: "default" });
    expect(items).toEqual([]);
    await problem(404, "not_found", "POST", "/v1/dead-letters/call_0/retry");
  });
});

describe("the lane of a spawn", () => {
  test("that does not exist is refused", async () => {
    await problem(422, "invalid_input", "POST", "/v1/agents", { body: { ...SPEC, lane: "express" } });
  });
});
