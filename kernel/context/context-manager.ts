import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ChatMessage, ToolDefinition } from "../llm/chat.ts";
import type { Clock, Hash, ObjectStore, Random, Sql } from "../ports.ts";
import type { ContextStats } from "../process/block.ts";
import type { Stored } from "../process/spec.ts";
import type { Label } from "../security/label.ts";
import type { Blocks } from "../storage/blocks.ts";
import { BOUNDLESS, type Room } from "../storage/room.ts";
import type { Memory } from "../syscall.ts";
import { Assembler, type Prompt, toolTokensOf } from "./assembler.ts";
import { ContextState } from "./context-state.ts";
import { framedSum } from "./frame.ts";
import { History } from "./history.ts";
import type { Note } from "./note.ts";
import type { Fault, Page, PageEntry, PageKind, PagePatch, SearchHit, Tier } from "./page.ts";
import { PageIndex } from "./page-index.ts";
import { PageReader } from "./page-reader.ts";
import { entryOf, type PageRow, PageTable } from "./page-table.ts";
import { type Draft, PageWriter } from "./page-writer.ts";
import { Paging } from "./paging.ts";
import { snippetOf } from "./passage.ts";
import { Reclaim, type Reclaimed } from "./reclaim.ts";
import { lru } from "./replacement/lru.ts";
import { Search } from "./search.ts";
import { SegmentTable } from "./segment-table.ts";
import { recalibrate } from "./tokens.ts";

/**
 * An agent's virtual memory. The context window is its RAM, the object's SQLite its swap, the object store its disk: this
 * class is the one entrance, and does nothing itself.
 *
 * Everything is in tables, so the object may be evicted between any two calls. Methods that answer at once are to be called
 * inside the caller's transaction; those that answer a promise make their own, and other events run while they wait.
 */

export interface ContextPorts {
  sql: Sql;
  objects: ObjectStore;
  clock: Clock;
  hash: Hash;
  random: Random;
  /** Of what the agent itself writes down; whoever writes for it brings its own. */
  room?: Room;
  /** What the process has read: what it writes down carries that on. */
  read?(): Label;
  /** Hears of invisible characters that were taken out of what came in, inside the transaction. */
  stripped?(count: number): void;
}

export interface ContextConfig {
  /** `tenant/agentId`: the prefix of its keys in the object store. */
  owner: string;
  windowTokens: number;
  pageTokens: number;
  replacement: "lru";
  maxOutputTokens: number;
}

export interface Allocation {
  content: string | Blocks;
  kind: PageKind;
  /** Where it came from: a file name, a URL. Shown in citations. */
  source?: string | undefined;
  /** 0-1. */
  importance?: number | undefined;
  pinned?: boolean | undefined;
  /** Into the prompt at once. What is pinned is. */
  resident?: boolean | undefined;
  /** Absent = what the process has read. */
  label?: Label | undefined;
}

const POLICIES = { lru } as const;
const IMPORTANCE = 0.5;

export class ContextManager implements Memory {
  readonly #objects: ObjectStore;
  readonly #room: Room;
  readonly #config: ContextConfig;
  readonly #table: PageTable;
  readonly #segments: SegmentTable;
  readonly #state: ContextState;
  readonly #index: PageIndex;
  readonly #writer: PageWriter;
  readonly #history: History;
  readonly #paging: Paging;
  readonly #reclaim: Reclaim;
  readonly #assembler: Assembler;
  readonly #search: Search;

  /** `note` appends to the object's log, inside the transaction that is open. */
  constructor(ports: ContextPorts, config: ContextConfig, note: Note) {
    const table = new PageTable(ports.sql);
    const segments = new SegmentTable(ports.sql);
    const state = new ContextState(ports.sql);
    const index = new PageIndex(ports.sql);
    const reader = new PageReader({ ...ports, table, segments });
    this.#objects = ports.objects;
    this.#room = ports.room ?? BOUNDLESS;
    this.#config = config;
    this.#table = table;
    this.#segments = segments;
    this.#state = state;
    this.#index = index;
    this.#writer = new PageWriter({ ...ports, table, index }, config.pageTokens);
    this.#history = new History(table, this.#writer, config.windowTokens);
    this.#paging = new Paging({ ...ports, table, state, reader, note });
    this.#assembler = new Assembler(table, state, config);
    this.#search = new Search({ table, index, reader });
    const capacity = () => ({
      promptTokens: this.#assembler.promptTokens() - state.read().tool_tokens,
      pageTokens: this.#assembler.pageTokens(),
    });
    const policy = POLICIES[config.replacement];
    this.#reclaim = new Reclaim({ ...ports, table, segments, state, policy, note, owner: config.owner, capacity });
  }

  // --- inside the caller's transaction

  /** New pages of `content`, each of at most `pageTokens`, in its order. */
  allocate(input: Allocation): PageEntry[] {
    return this.#writer.writeText(input.content, this.#draft(input)).map(entryOf);
  }

  /** The same within what `room` has: `quota_exceeded` when not all of it fits, and then nothing of it is stored. */
  allocateWithin(room: Room, input: Allocation): Result<PageEntry[]> {
    const rows = this.#writer.writeWithin(room, input.content, this.#draft(input));
    return rows.ok ? ok(rows.value.map(entryOf)) : rows;
  }

  /** A turn's input, at the end of the history. `sender` is kept as its source. */
  appendMessage(content: string, sender: string): PageEntry[] {
    return this.#history.appendMessage(content, sender, this.#state.tick()).map(entryOf);
  }

  /** An assistant's message with its tool calls, and the results of all of them, as one group. */
  appendExchange(messages: ChatMessage[]): PageEntry[] {
    return this.#history.appendExchange(messages, this.#state.tick()).map(entryOf);
  }

  /** A turn's answer, at the end of the history. */
  appendReply(content: string): PageEntry[] {
    return this.#history.appendReply(content, this.#state.tick()).map(entryOf);
  }

  /** Something the agent wants to remember. */
  note(input: { content: string; importance: number }): Result<PageEntry[]> {
    return this.allocateWithin(this.#room, { ...input, kind: "note" });
  }

  /** A page pinned while it is away enters the prompt with the next demand paging. */
  patch(id: string, patch: PagePatch): Result<PageEntry> {
    const row = this.#table.byId(id);
    if (row === undefined) return missing(id);
    this.#table.mark(row.ordinal, patch.pinned ?? row.pinned === 1, patch.importance ?? row.importance);
    return ok(entryOf(this.#table.byId(id) ?? row));
  }

  /** Row, content and index entry go; what a segment still holds of it goes with the segment. */
  forget(id: string): Result<null> {
    const row = this.#table.byId(id);
    if (row === undefined) return missing(id);
    this.#index.remove(row.ordinal);
    this.#table.delete(row.ordinal);
    if (row.segment_id !== null) this.#segments.release(row.segment_id);
    return ok(null);
  }

  /** Learns from a call's bill how many of the vendor's tokens one of ours is. */
  calibrate(estimatedTokens: number, vendorTokens: number, tools: readonly ToolDefinition[] = []): void {
    const { token_factor: factor, tool_tokens: toolTokens } = this.#state.read();
    const learned = recalibrate(factor, estimatedTokens, vendorTokens);
    this.#state.learn(learned, tools.length === 0 ? toolTokens : toolTokensOf(tools));
  }

  // --- plain reads

  get(id: string): Result<PageEntry> {
    const row = this.#table.byId(id);
    return row === undefined ? missing(id) : ok(entryOf(row));
  }

  /** The page table by ordinal. The cursor is the last ordinal seen. */
  list(options: { limit: number; cursor?: string | undefined; tier?: Tier | undefined }): {
    items: PageEntry[];
    nextCursor: string | null;
  } {
    const after = Number.parseInt(options.cursor ?? "0", 10) || 0;
    const limit = Math.min(options.limit, LIMITS.pageListMax);
    const rows = this.#table.list(after, limit + 1, options.tier);
    const items = rows.slice(0, limit).map(entryOf);
    return { items, nextCursor: rows.length > limit ? String(items.at(-1)?.ordinal) : null };
  }

  /** Of each label that the prompt shows anything of, one page. */
  shown(): { label: string; id: string }[] {
    return this.#table.shown();
  }

  /** How many pages there are of each label. */
  labels(): { label: string; pages: number }[] {
    return this.#table.labels();
  }

  /** Of pages by id; of one that went away meanwhile nobody knows it, which counts as the worst. */
  labelsOf(ids: readonly string[]): string[] {
    return ids.map((id) => this.#table.byId(id)?.label ?? "");
  }

  stats(): ContextStats {
    const { hot, warm, cold } = this.#table.tallies();
    const counters = this.#state.read();
    return {
      windowTokens: this.#config.windowTokens,
      residentTokens: framedSum(this.#table.hot()),
      hotPages: hot.pages,
      warmPages: warm.pages,
      coldPages: cold.pages,
      minorFaults: counters.minor_faults,
      majorFaults: counters.major_faults,
      evictions: counters.evictions,
    };
  }

  /** The prompt as it stands. `context_overflow` when what must be in it does not fit the window. */
  assemble(tools: readonly ToolDefinition[]): Result<Prompt> {
    return this.#assembler.assemble(tools);
  }

  needsReclaim(): boolean {
    return this.#reclaim.isDue();
  }

  /** Pages of all tiers, and their bytes. */
  stored(): Pick<Stored, "pages" | "pageBytes"> {
    const { hot, warm, cold } = this.#table.tallies();
    return { pages: hot.pages + warm.pages + cold.pages, pageBytes: hot.bytes + warm.bytes + cold.bytes };
  }

  /** Bytes of content outside of the prompt in SQLite. Writers wait for `reclaim` above `warmHardBytes`. */
  warmBytes(): number {
    return this.#table.tally("warm").bytes;
  }

  /** The segments that hold this agent's cold pages: rows of the catalogue. */
  catalogue(): { segmentId: string; key: string; owner: string; pages: number; bytes: number; sha256: string }[] {
    const { owner } = this.#config;
    return this.#segments
      .all()
      .map(({ id, key, pages, bytes, sha256 }) => ({ segmentId: id, key, owner, pages, bytes, sha256 }));
  }

  // --- with the object store

  /** Faults the page in: it stands in the prompt afterwards. */
  touch(id: string): Promise<Result<{ page: Page; fault: Fault }>> {
    return this.#paging.touch(id, "hot");
  }

  /** Faults the page in for a tool result: warm at least afterwards, so that it does not stand in the prompt twice. */
  read(id: string): Promise<Result<{ page: Page; fault: Fault }>> {
    return this.#paging.touch(id, "warm");
  }

  /** The page as it is: nothing changes and nothing is counted. */
  peek(id: string): Promise<Result<Page>> {
    return this.#paging.peek(id);
  }

  /** Pages of all tiers that have most to do with `query`, best first. Changes nothing. */
  async search(query: string, limit: number): Promise<SearchHit[]> {
    return this.#hits(query, limit, () => true);
  }

  /** What the agent itself asks of its memory: pages that its prompt shows word by word are left out of searches. */
  get memory(): Memory {
    return {
      search: (query, limit) => this.#hits(query, limit, isAway),
      touch: (id) => this.read(id),
      note: (input) => this.note(input),
      patch: (id, patch) => this.patch(id, patch),
      forget: (id) => this.forget(id),
    };
  }

  /** Before a model call: the pages that `query` needs become hot, best first, within `budget`. */
  async pageIn(
    query: string,
    budget: { tokens: number; ms: number },
  ): Promise<{ minor: number; major: number; pageIds: string[] }> {
    const found = await this.#search.find(query, LIMITS.demandPagingPages, (row) => isAway(row) && row.pinned === 0);
    const pinned = this.#table.pinnedAway(LIMITS.demandPagingPages);
    const tokens = Math.floor(budget.tokens / this.#state.read().token_factor);
    return this.#paging.pageIn([...pinned.map((row) => ({ row, content: null })), ...found], { tokens, ms: budget.ms });
  }

  /** Empties prompt and SQLite down to their low watermarks where they are above the high ones. */
  reclaim(signal?: AbortSignal): Promise<Reclaimed> {
    return this.#reclaim.run(signal);
  }

  /** Deletes a batch of this agent's objects. The tables are the caller's to drop, after the last batch. */
  async erase(): Promise<{ done: boolean }> {
    const { keys, cursor } = await this.#objects.list(`${this.#config.owner}/seg/`);
    if (keys.length > 0) await this.#objects.delete(keys);
    return { done: cursor === null };
  }

  #draft({ kind, source = "", importance = IMPORTANCE, pinned = false, resident = pinned, label }: Allocation): Draft {
    const place = !resident ? null : kind === "instructions" || kind === "goal" ? "system" : "memory";
    return { kind, source, importance, pinned, place, label, at: this.#state.tick() };
  }

  async #hits(query: string, limit: number, wanted: (row: PageRow) => boolean): Promise<SearchHit[]> {
    const found = await this.#search.find(query, Math.min(limit, LIMITS.searchMax), wanted);
    return found.map(({ row, score, content, passage }) => ({
      id: row.id,
      score,
      snippet: content === null ? row.preview : snippetOf(content, passage?.start ?? 0),
      tier: row.tier,
      source: row.source,
    }));
  }
}

/** Whether the prompt does not show this page already, and it is something to remember: a record of calls is not. */
function isAway(row: PageRow): boolean {
  return row.place !== "history" && row.place !== "system" && row.kind !== "exchange";
}

function missing(id: string): Result<never> {
  return err("not_found", `there is no page ${id}`);
}
