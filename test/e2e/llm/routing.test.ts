import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import type { ProcessSpec } from "../../../kernel/process/spec.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";
import { WRONG_KEY } from "./vendor-rig.ts";

/** Agents that name several models, through the real runtime: one vendor refuses the key, another one answers. */

describe("an agent with a list of models", () => {
  let model: ModelServer;
  let kernel: KernelProcess;

  beforeAll(async () => {
    model = await ModelServer.start();
    kernel = await KernelProcess.start(undefined, {
      OPENAI_API_KEY: WRONG_KEY,
      OPENAI_BASE_URL: `${model.url}/openai/v1`,
      DEEPSEEK_API_KEY: "test-key",
      DEEPSEEK_BASE_URL: `${model.url}/deepseek`,
    });
  });

  afterAll(async () => {
    await kernel.dispose();
    await model.stop();
  });

  test("falls back to the next one, with the reason in its journal, and each call is billed as what it was", async () => {
    const agent = await done({ models: ["openai/gpt-5.4-mini", "deepseek/deepseek-flash"], routing: "fallback" });
    expect(agent).toMatchObject({ model: "deepseek/deepseek-flash", exit: { reason: "completed" } });
    expect(await called(agent.id)).toEqual([
      ["openai/gpt-5.4-mini", false],
      ["deepseek/deepseek-flash", true],
    ]);
    const { items } = await client().ledger.audit({ agentId: agent.id, action: "model.route" });
    expect(items.map(({ data }) => data)).toEqual([
      {
        from: "openai/gpt-5.4-mini",
        to: "deepseek/deepseek-flash",
        rule: "fallback",
        unavailable: { "openai/gpt-5.4-mini": "provider_auth" },
      },
    ]);
  });

  test("calls the cheapest that can do what it needs", async () => {
    const models = ["deepseek/deepseek-v4-pro", "openai/gpt-4o-mini", "deepseek/deepseek-flash"];
    const agent = await done({ models, routing: "cheapest", needs: ["reasoning"] });
    expect(agent.exit).toMatchObject({ reason: "completed" });
    expect(await called(agent.id)).toEqual([["deepseek/deepseek-flash", true]]);
  });

  test("that nobody could serve is refused, and so is a rule without a list", async () => {
    const spec = { name: "A", role: "r", goal: "g" };
    const models = ["deepseek/deepseek-flash", "nobody/model"];
    await expect(client().agents.spawn({ ...spec, models })).rejects.toMatchObject({ code: "unknown_model" });
    const bare = client().agents.spawn({ ...spec, routing: "cheapest" });
    await expect(bare).rejects.toMatchObject({ code: "invalid_input" });
  });

  function client(): KernelClient {
    return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  }

  async function done(spec: Partial<ProcessSpec>) {
    const { id } = await client().agents.spawn({ name: "A", role: "r", goal: "Say hello.", ...spec });
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
      const block = await client().agents.get(id);
      if (block.state === "terminated") return block;
    }
    throw new Error(`it did not end: ${JSON.stringify(await client().agents.get(id))}`);
  }

  /** The models of an agent's calls in their order, and whether each was billed. */
  async function called(agentId: string): Promise<[string, boolean][]> {
    const { items } = await client().ledger.calls({ agentId });
    return items.reverse().map((call) => [call.model, call.costNanoUsd > 0]);
  }
});
