import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Env } from "../../workers/env.ts";
import worker from "../../workers/index.ts";

describe("the calls queue", () => {
  test("gives back what this version does not know and loses nothing", async () => {
    const message = (id: string, attempts: number) => ({
      id,
      timestamp: new Date(0),
      attempts,
      body: { any: "thing" },
    });
    const batch = createMessageBatch("agent-os-kernel-calls", [message("first", 1), message("fourth", 4)]);
    await worker.queue(batch, env as unknown as Env);
    const result = await getQueueResult(batch, createExecutionContext());
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["first", "fourth"]);
  });
});
