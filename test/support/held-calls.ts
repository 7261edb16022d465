import { runInDurableObject } from "cloudflare:test";
import type { AgentOrders } from "../../durable-objects/agent/rpc.ts";
import type { ApprovalView } from "../../durable-objects/core/rpc.ts";
import type { Decision, Verdict } from "../../kernel/process/parking.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { eventually, type TestTenant, value } from "./tenant.ts";

/** Agents whose call of `file_write` is held for a person, and what stories do to them. */

export const ASKING: Partial<ProcessSpec> = { daemon: true, approvals: { tools: ["file_write"] } };

export function writing(path: string): string {
  return `call file_write {"path": "${path}", "content": "written"}`;
}

/** An agent that was told to write a file, when it waits for leave to. */
export async function heldAgent(tenant: TestTenant, path = "a.txt"): Promise<{ id: string; approval: ApprovalView }> {
  const id = await tenant.daemon(ASKING);
  await tenant.send(id, writing(path));
  return { id, approval: await openApproval(tenant, id) };
}

/** The one open approval of the agent, when it waits for it. */
export async function openApproval(tenant: TestTenant, agentId: string): Promise<ApprovalView> {
  const mine = async () =>
    value(await tenant.core.approvals({ limit: 200, state: "open" })).items.filter((item) => item.agentId === agentId);
  const found = await eventually(mine, (items) => items.length === 1);
  await tenant.until(agentId, (block) => block.state === "waiting" && block.waitReason === "approval");
  return found[0] as ApprovalView;
}

export function ordersOf(tenant: TestTenant, agentId: string): AgentOrders {
  return tenant.stub(agentId) as unknown as AgentOrders;
}

/** What the core tells the agent when a person decides. */
export function verdictOn({ action }: ApprovalView, decision: Decision = "approve"): Verdict {
  const { callId = "", attempt = -1, inputSha256 = "", actionSha256 } = action ?? {};
  return { callId, attempt, inputSha256, actionSha256, decision, answer: null };
}

/** Versions of the files that it wrote: empty when it wrote none. */
export async function written(tenant: TestTenant, agentId: string): Promise<string[]> {
  return value(await tenant.agent(agentId).files({ limit: 200 })).items.map(
    ({ path, version }) => `${path}@${version}`,
  );
}

/** Changes the agent's tables behind its back. */
export function tamper(tenant: TestTenant, agentId: string, statement: string, ...values: unknown[]): Promise<void> {
  return runInDurableObject(tenant.stub(agentId), (_object, { storage }) => {
    storage.sql.exec(statement, ...values);
  });
}
