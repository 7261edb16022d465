import type { Fault, Page, PageEntry, PagePatch, PagesBody, SearchHit, Tier } from "../../../kernel/context/page.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { agentPath } from "./agents.ts";
import { everyItem, type Listing, type ListOptions } from "./listing.ts";
import { textParts } from "./text-parts.ts";
import type { Transport } from "./transport.ts";

/** Routes of a process's virtual memory. */
export class Pages {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST .../pages`: splits the content into pages. At most 16 MiB a request; `too_large` above. */
  async add(
    agentId: string,
    body: PagesBody,
    options: { idempotencyKey?: string } = {},
  ): Promise<{ id: string; tokens: number }[]> {
    const reply = await this.#transport.json<{ pages: { id: string; tokens: number }[] }>(this.#path(agentId), {
      method: "POST",
      body,
      idempotencyKey: options.idempotencyKey ?? true,
      deadlineMs: LIMITS.clientBulkMs,
    });
    return reply.pages;
  }

  /** Adds a text of any size: cut between characters into requests that the kernel takes, in order. */
  async addText(
    agentId: string,
    text: string,
    options: Omit<PagesBody, "content"> = {},
  ): Promise<{ id: string; tokens: number }[]> {
    const pages: { id: string; tokens: number }[] = [];
    for (const content of textParts(text)) pages.push(...(await this.add(agentId, { content, ...options })));
    return pages;
  }

  /** `GET .../pages`: one page of the page table. */
  list(agentId: string, options: ListOptions & { tier?: Tier } = {}): Promise<Listing<PageEntry>> {
    return this.#transport.json(this.#path(agentId), { query: { ...options } });
  }

  /** The whole page table, in the order of creation. */
  all(agentId: string, options: { tier?: Tier } = {}): AsyncGenerator<PageEntry> {
    return everyItem(this.#transport, this.#path(agentId), { ...options });
  }

  /** `GET .../pages/{pageId}`: a peek, which changes nothing. */
  read(agentId: string, pageId: string): Promise<Page> {
    return this.#transport.json(this.#path(agentId, pageId));
  }

  /** `POST .../pages/{pageId}/touch`: faults the page in, as if the process had used it. */
  touch(agentId: string, pageId: string): Promise<{ page: Page; fault: Fault }> {
    return this.#transport.json(`${this.#path(agentId, pageId)}/touch`, { method: "POST" });
  }

  /** `GET .../pages/search`: over all tiers, in any language, best first. */
  async search(agentId: string, query: string, options: { limit?: number } = {}): Promise<SearchHit[]> {
    const reply = await this.#transport.json<{ items: SearchHit[] }>(`${this.#path(agentId)}/search`, {
      query: { q: query, limit: options.limit },
    });
    return reply.items;
  }

  /** `PATCH .../pages/{pageId}`: pin or unpin, importance 0-1. */
  update(agentId: string, pageId: string, patch: PagePatch): Promise<PageEntry> {
    return this.#transport.json(this.#path(agentId, pageId), { method: "PATCH", body: patch });
  }

  /** `DELETE .../pages/{pageId}`: forgets the page in every tier. */
  async forget(agentId: string, pageId: string): Promise<void> {
    await this.#transport.json(this.#path(agentId, pageId), { method: "DELETE" });
  }

  #path(agentId: string, pageId?: string): string {
    const pages = `${agentPath(agentId)}/pages`;
    return pageId === undefined ? pages : `${pages}/${encodeURIComponent(pageId)}`;
  }
}
