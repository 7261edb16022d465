import { newId } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Hash, ObjectStore, Random, Sql } from "../ports.ts";
import { free } from "../storage/free.ts";
import type { ContextState } from "./context-state.ts";
import { framedSum } from "./frame.ts";
import type { Note } from "./note.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import type { Candidate, ReplacementPolicy } from "./replacement/policy.ts";
import { packSegment } from "./segment.ts";
import type { SegmentTable } from "./segment-table.ts";

/**
 * The kernel's kswapd. The prompt is emptied in bulk, from the high watermark down to the low one, so that its beginning
 * stays the same over many steps. SQLite is emptied into segments: the object is written first, then the page table, then
 * the catalogue by way of the log. A crash in between leaves a segment without pages, which the next run sweeps.
 */

export interface ReclaimParts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly hash: Hash;
  readonly objects: ObjectStore;
  readonly table: PageTable;
  readonly segments: SegmentTable;
  readonly state: ContextState;
  readonly policy: ReplacementPolicy;
  readonly note: Note;
  readonly owner: string;
  /** Estimated tokens of a prompt without its tools, and those of them that are for hot pages. */
  readonly capacity: () => { promptTokens: number; pageTokens: number };
}

export interface Reclaimed {
  evicted: number;
  spilled: number;
  segments: string[];
}

const IDS_NOTED = 32;
/** Rows looked at for one segment; more than fit into it. */
const SPILL_ROWS = 2_048;
/** In a window so small that the kernel's own words decide, the low watermark keeps its distance to the high one. */
const LOW_OF_HIGH = LIMITS.hotLowWatermark / LIMITS.hotHighWatermark;

export class Reclaim {
  readonly #parts: ReclaimParts;
  #running: Promise<Reclaimed> | null = null;

  constructor(parts: ReclaimParts) {
    this.#parts = parts;
  }

  /** Whether there is too much, and something of it can leave. */
  isDue(): boolean {
    const { table } = this.#parts;
    const warmIsFull = table.tally("warm").bytes > LIMITS.warmHighBytes && table.warm(1).length > 0;
    return warmIsFull || this.#leaving().length > 0;
  }

  /** One run at a time: whoever comes while one is under way waits for its end and gets its answer. */
  run(signal?: AbortSignal): Promise<Reclaimed> {
    this.#running ??= this.#run(signal).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(signal: AbortSignal | undefined): Promise<Reclaimed> {
    const evicted = this.#parts.sql.transaction(() => this.#evict());
    const spilled: Reclaimed = { evicted, spilled: 0, segments: [] };
    if (this.#parts.table.tally("warm").bytes > LIMITS.warmHighBytes) await this.#spillDown(spilled, signal);
    await this.#sweep();
    return spilled;
  }

  /** Fills `spilled` while it empties SQLite down to the low watermark. */
  async #spillDown(spilled: Reclaimed, signal: AbortSignal | undefined): Promise<void> {
    for (let round = 0; round < LIMITS.spillRounds && signal?.aborted !== true; round++) {
      const excess = this.#parts.table.tally("warm").bytes - LIMITS.warmLowBytes;
      const victims = excess > 0 ? this.#victims(excess) : [];
      if (victims.length === 0) break;
      const { pages, segmentId } = await this.#spill(victims);
      spilled.spilled += pages;
      if (segmentId !== null) spilled.segments.push(segmentId);
      if (pages === 0) break;
    }
  }

  // --- hot to warm

  #evict(): number {
    const { table, state, note } = this.#parts;
    const leaving = this.#leaving();
    if (leaving.length === 0) return 0;
    table.unstubReturned();
    const at = state.tick();
    for (const row of leaving) table.cool(row.ordinal, at);
    state.count({ evictions: leaving.length });
    const pageIds = leaving.slice(0, IDS_NOTED).map((row) => row.id);
    note("page.evict", { pages: leaving.length, tokens: framedSum(leaving), pageIds });
    return leaving.length;
  }

  /**
   * Above the high watermark, what takes the prompt down to the low one: whole entries, in the policy's order. Groups of the
   * current turn only when nothing else is left.
   */
  #leaving(): PageRow[] {
    const { table, capacity, policy } = this.#parts;
    const resident = table.hot();
    const { promptTokens, pageTokens } = capacity();
    const high = Math.min(LIMITS.hotHighWatermark * promptTokens, pageTokens);
    const tokens = framedSum(resident);
    if (tokens <= high) return [];
    const { past, current } = evictable(resident);
    const order = [...policy.order(past.map(groupCandidate)).map(({ group }) => group), ...current];
    const leaving: PageRow[] = [];
    let left = tokens - Math.min(LIMITS.hotLowWatermark * promptTokens, high * LOW_OF_HIGH);
    for (const group of order) {
      if (left <= 0) break;
      leaving.push(...group);
      left -= framedSum(group);
    }
    return leaving;
  }

  // --- warm to cold

  #victims(excess: number): PageRow[] {
    const { table, policy } = this.#parts;
    const rows = policy.order(table.warm(SPILL_ROWS));
    const victims: PageRow[] = [];
    let bytes = 0;
    for (const row of rows) {
      if (bytes >= excess || (bytes > 0 && bytes + row.bytes > LIMITS.segmentBytes)) break;
      bytes += row.bytes;
      victims.push(row);
    }
    return victims;
  }

  async #spill(victims: readonly PageRow[]): Promise<{ pages: number; segmentId: string | null }> {
    const { sql, table, note } = this.#parts;
    const clean = victims.filter((row) => row.segment_id !== null);
    const dirty = victims.filter((row) => row.segment_id === null);
    const dropped = sql.transaction(() => {
      const gone = clean.filter((row) => table.dropClean(row.ordinal));
      if (gone.length > 0) note("page.spill", { pages: gone.length, bytes: sum(gone, (row) => row.bytes) });
      return gone.length;
    });
    const written = dirty.length === 0 ? null : await this.#write(dirty);
    return { pages: dropped + (written?.pages ?? 0), segmentId: written?.segmentId ?? null };
  }

  async #write(dirty: readonly PageRow[]): Promise<{ pages: number; segmentId: string }> {
    const { sql, clock, hash, objects, table, segments, note, owner } = this.#parts;
    const pages = dirty.map((row) => ({ row, content: table.content(row.ordinal) ?? "" }));
    const packed = packSegment(pages, hash);
    const id = newId("seg", this.#parts);
    const key = `${owner}/seg/${id}`;
    const facts = { id, key, pages: dirty.length, bytes: packed.bytes.length, sha256: packed.sha256 };
    sql.transaction(() => segments.open({ ...facts, created_at: clock.now() }));
    await objects.put(key, packed.bytes);
    free(packed.bytes);
    return sql.transaction(() => {
      const frozen = dirty.filter((row, i) => table.freeze(row, id, packed.offsets[i] ?? 0));
      segments.fill(id, frozen.length);
      if (frozen.length > 0) {
        note("page.segment", {
          segmentId: id,
          key,
          owner,
          pages: frozen.length,
          bytes: facts.bytes,
          sha256: facts.sha256,
        });
        note("page.spill", { pages: frozen.length, bytes: sum(frozen, (row) => row.bytes) });
      }
      return { pages: frozen.length, segmentId: id };
    });
  }

  /** Deletes segments that no page needs: the objects first, so that a crash in between only repeats it. */
  async #sweep(): Promise<void> {
    const { sql, objects, segments, note } = this.#parts;
    const orphans = segments.orphans(LIMITS.sweepSegments);
    if (orphans.length === 0) return;
    await objects.delete(orphans.map((segment) => segment.key));
    sql.transaction(() => {
      for (const segment of orphans) segments.delete(segment.id);
      note("page.sweep", { segmentIds: orphans.map((segment) => segment.id) });
    });
  }
}

/** Ordinal of the newest message in the history: the turn began there. */
export function turnStart(resident: readonly PageRow[]): number {
  return (
    resident.findLast((row) => row.place === "history" && row.kind === "message")?.entry ?? Number.POSITIVE_INFINITY
  );
}

/** Pages that stand or leave together: a history entry, or one page. */
export function groupsOf<T extends PageRow>(rows: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = row.place === "history" ? `entry ${row.entry}` : `page ${row.ordinal}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** Groups that may leave: those of earlier turns, and those of the current one after its message. */
function evictable(resident: readonly PageRow[]): { past: PageRow[][]; current: PageRow[][] } {
  const turn = turnStart(resident);
  const groups = groupsOf(resident).filter((group) => group.every((row) => row.pinned === 0 && row.place !== "system"));
  return {
    past: groups.filter(([first]) => first?.place === "memory" || (first?.ordinal ?? 0) < turn),
    current: groups.filter(([first]) => first?.place === "history" && first.ordinal > turn),
  };
}

function groupCandidate(group: PageRow[]): Candidate & { group: PageRow[] } {
  const [first] = group;
  return {
    kind: first?.kind ?? "note",
    ordinal: first?.ordinal ?? 0,
    used_at: Math.max(...group.map((row) => row.used_at)),
    importance: Math.max(...group.map((row) => row.importance)),
    tokens: sum(group, (row) => row.tokens),
    bytes: sum(group, (row) => row.bytes),
    group,
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
