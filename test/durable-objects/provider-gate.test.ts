import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { GateRpc } from "../../durable-objects/provider-gate/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { ACCOUNTS } from "../../kernel/llm/gate/account-limits.ts";
import type { LeaseRequest } from "../../kernel/llm/gate/lease.ts";
import { value } from "../support/tenant.ts";

function gate(name: string) {
  const { GATES } = env as unknown as { GATES: DurableObjectNamespace };
  const stub = GATES.getByName(name);
  return { stub, rpc: stub as unknown as GateRpc };
}

function request(tenant: string, change: Partial<LeaseRequest>): LeaseRequest {
  const nothing = { calls: 0, tokens: 0 };
  const usage = { inUse: 0, inUseOfEpoch: 0, waiting: 0, callTokens: 0 };
  return {
    tenant,
    holder: `core/${tenant}`,
    epoch: 0,
    begun: nothing,
    unspent: nothing,
    outcomes: [],
    ...usage,
    ...change,
  };
}

describe("the gate of a vendor account", () => {
  test("lends up to the limit of the account and tells the rest when to ask again", async () => {
    const { rpc } = gate("ollama");
    const first = value(await rpc.lease(request("a", { waiting: 100 })));
    expect(first.calls).toBe(ACCOUNTS.ollama.concurrency);
    const second = value(await rpc.lease(request("b", { waiting: 100 })));
    expect(second).toMatchObject({ calls: 0, retryMs: LIMITS.gateAskMs, state: "closed", cause: null });
  });

  test("goes on where it stood when its object was evicted, with its breaker open and its slices lent", async () => {
    const { rpc, stub } = gate("kimi");
    const { epoch, calls } = value(await rpc.lease(request("a", { waiting: 100 })));
    await evictDurableObject(stub);
    const second = value(await rpc.lease(request("b", { waiting: 200 })));
    expect(second.calls).toBe(ACCOUNTS.kimi.concurrency - calls);
    const failure = { sign: "unavailable", code: "provider_unavailable", epoch } as const;
    const outcomes = Array.from({ length: LIMITS.breakerFailures }, () => failure);
    value(await rpc.lease(request("a", { inUse: 1, epoch, outcomes })));
    await evictDurableObject(stub);
    expect(value(await rpc.view())).toMatchObject({ state: "open", lastError: { code: "provider_unavailable" } });
    expect(value(await rpc.lease(request("b", { waiting: 1 })))).toMatchObject({ calls: 0, state: "open" });
  });

  test("is there for known accounts only", async () => {
    expect(await gate("nobody").rpc.view()).toMatchObject({ ok: false, error: { code: "not_found" } });
  });
});
