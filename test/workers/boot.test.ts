import { createScheduledController } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";
import { BOOT } from "../../kernel/boot.ts";
import worker from "../../workers/index.ts";
import { nextMessage, sentMessage } from "../support/calls-queue.ts";
import { eventually, TestTenant } from "../support/tenant.ts";
import { bindings, boot } from "./kernel-client.ts";

beforeAll(boot);

test("when the local runtime began anew, agents send again what its queue forgot", async () => {
  const tenant = new TestTenant();
  const { id } = await tenant.spawn({ lane: "batch", goal: "call calculate on 6*7" });
  const lost = await nextMessage(tenant, id);
  const known = () => bindings.DB.prepare("SELECT tenant FROM cores WHERE tenant = ?").bind(tenant.name).first();
  await eventually(known, (row) => row !== null);
  await worker.scheduled(createScheduledController({ cron: BOOT, scheduledTime: new Date(Date.now() + 1) }), bindings);
  const again = await eventually(
    () => sentMessage(tenant, id),
    (message) => message?.attempt === 2,
  );
  expect(again).toEqual({ ...lost, attempt: 2 });
});
