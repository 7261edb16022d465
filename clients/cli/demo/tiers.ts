import type { KernelClient } from "../../sdk/client/client.ts";

/** How an agent's memory stands, in a line: pages by tier, and what of them is in the prompt. */
export async function tiersOf(client: KernelClient, agentId: string): Promise<string> {
  const { context } = await client.agents.get(agentId);
  const pages = `${context.hotPages} hot, ${context.warmPages} warm, ${context.coldPages} cold pages`;
  return `${pages}, ${context.residentTokens} of ${context.windowTokens} tokens resident`;
}
