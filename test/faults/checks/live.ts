import { createHash } from "node:crypto";
import type { Api } from "../api.ts";
import type { Load } from "../load.ts";
import type { Findings } from "../violation.ts";
import type { Bill } from "./evidence.ts";

/** What the kernel itself says once it is at rest: chains, pages, erased agents, the bill. */

const PEEKS_AT_ONCE = 16;

export async function checkLive(api: Api, load: Load, findings: Findings): Promise<void> {
  const chain = (query: string) => api.once(`/v1/audit/verify${query}`);
  for (const agent of load.agents) {
    if (agent.erased) {
      const { status } = await api.once(`/v1/agents/${agent.id}`);
      findings.expect("an erased agent answers 404", status === 404, () => `${agent.name}: ${status}`);
      continue;
    }
    const { body } = await chain(`?agentId=${agent.id}`);
    findings.expect(
      "the kernel verifies the chain",
      (body as { ok?: boolean } | null)?.ok === true,
      () => `${agent.name}: ${JSON.stringify(body)}`,
    );
  }
  const { body } = await chain("");
  findings.expect(
    "the kernel verifies the chain",
    (body as { ok?: boolean } | null)?.ok === true,
    () => `core: ${JSON.stringify(body)}`,
  );
  for (const { agentId, pageIds, sha256 } of load.pages) {
    if (pageIds === null) continue;
    const hash = createHash("sha256")
      .update(await contentOf(api, agentId, pageIds))
      .digest("hex");
    findings.expect(
      "pages are what was sent",
      hash === sha256,
      () => `${agentId}: ${pageIds.length} pages from ${pageIds[0]}: ${hash}, sent ${sha256}`,
    );
  }
}

/** Pages by peeking, joined. */
async function contentOf(api: Api, agentId: string, pageIds: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (let at = 0; at < pageIds.length; at += PEEKS_AT_ONCE) {
    const ids = pageIds.slice(at, at + PEEKS_AT_ONCE);
    const pages = await Promise.all(ids.map((id) => api.once(`/v1/agents/${agentId}/pages/${id}`)));
    parts.push(...pages.map(({ status, body }) => (body as { content?: string } | null)?.content ?? `[${status}]`));
  }
  return parts.join("");
}

export async function billOf(api: Api): Promise<Bill> {
  const before = Date.now();
  const { body } = await api.once(`/v1/costs?groupBy=agent&to=${new Date(before).toISOString()}`);
  const { items } = body as { items: { key: string; calls: number; costNanoUsd: number }[] };
  return { before, agents: new Map(items.map((item) => [item.key, item])) };
}
