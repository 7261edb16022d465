import { err, ok, type Result } from "../errors.ts";
import type { Clock, Sql } from "../ports.ts";
import type { ContextState } from "./context-state.ts";
import type { Note } from "./note.ts";
import type { Fault, Page } from "./page.ts";
import type { PageReader } from "./page-reader.ts";
import { entryOf, type PageRow, type PageTable } from "./page-table.ts";

/**
 * Faults: what brings pages back. A touched page stands in the prompt afterwards; a read one goes into a tool result, so it
 * need only be warm. Reads come first, then one transaction that looks at every row again, because other events run while
 * the object store answers.
 */

export interface PagingParts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly table: PageTable;
  readonly state: ContextState;
  readonly reader: PageReader;
  readonly note: Note;
}

type Fetched = { row: PageRow; content: string };

export class Paging {
  readonly #parts: PagingParts;

  constructor(parts: PagingParts) {
    this.#parts = parts;
  }

  /** The page, as it is. Counts nothing, changes nothing. */
  async peek(id: string): Promise<Result<Page>> {
    const fetched = await this.#fetch(id);
    if (!fetched.ok) return fetched;
    const { row, content } = fetched.value;
    return ok({ ...entryOf(row), content });
  }

  /** Faults the page in: hot afterwards, or warm at least when `into` says so. */
  async touch(id: string, into: "hot" | "warm"): Promise<Result<{ page: Page; fault: Fault }>> {
    const fetched = await this.#fetch(id);
    if (!fetched.ok) return fetched;
    const { row, content } = fetched.value;
    return this.#parts.sql.transaction(() => {
      const fault = this.#settle(fetched.value, into);
      if (fault === null) return err("not_found", `there is no page ${id}`);
      this.#record([{ row, fault }]);
      const now = this.#parts.table.byOrdinal(row.ordinal) ?? row;
      return ok({ page: { ...entryOf(now), content }, fault });
    });
  }

  /**
   * Demand paging: makes `pages`, best first, hot as far as `tokens` and `ms` go. Contents that the caller read already are
   * not read again; pages that cannot be read now are left out. Afterwards all of them stand at the end of the prompt, in
   * the order given.
   */
  async pageIn(
    pages: readonly { row: PageRow; content: string | null }[],
    budget: { tokens: number; ms: number },
  ): Promise<{ minor: number; major: number; pageIds: string[] }> {
    const chosen = affordable(pages, budget.tokens);
    const unread = chosen.filter(({ content }) => content === null).map(({ row }) => row);
    const contents = await this.#parts.reader.readAll(unread, budget.ms);
    const fetched = chosen.flatMap(({ row, content }): Fetched[] => {
      const text = content ?? contents.get(row.ordinal);
      return text === undefined ? [] : [{ row, content: text }];
    });
    return this.#parts.sql.transaction(() => {
      const done = fetched.flatMap((page) => {
        const fault = this.#settle(page, "hot");
        return fault === null ? [] : [{ row: page.row, fault }];
      });
      this.#record(done);
      const count = (kind: Fault) => done.filter(({ fault }) => fault === kind).length;
      return { minor: count("minor"), major: count("major"), pageIds: done.map(({ row }) => row.id) };
    });
  }

  async #fetch(id: string): Promise<Result<Fetched>> {
    const row = this.#parts.table.byId(id);
    if (row === undefined) return err("not_found", `there is no page ${id}`);
    const read = await this.#parts.reader.read(row);
    return read.ok ? ok({ row, content: read.value }) : read;
  }

  /** Writes one page's new place. Null when the page went away meanwhile. */
  #settle(fetched: Fetched, into: "hot" | "warm"): Fault | null {
    const { table, state } = this.#parts;
    const row = table.byOrdinal(fetched.row.ordinal);
    if (row === undefined) return null;
    const at = state.tick();
    if (row.tier === "hot") {
      if (row.place === "memory") table.heat(row.ordinal, "memory", fetched.content, at);
      else table.use(row.ordinal, at);
      return "none";
    }
    if (into === "hot") table.heat(row.ordinal, placeOf(row), fetched.content, at);
    else table.warmUp(row.ordinal, fetched.content, at);
    return row.tier === "cold" ? "major" : "minor";
  }

  #record(done: readonly { row: PageRow; fault: Fault }[]): void {
    const minor = done.filter(({ fault }) => fault === "minor").length;
    const major = done.filter(({ fault }) => fault === "major").length;
    if (minor + major === 0) return;
    this.#parts.state.count({ minor, major });
    const pageIds = done.filter(({ fault }) => fault !== "none").map(({ row }) => row.id);
    this.#parts.note("page.fault", { minor, major, pageIds });
  }
}

function placeOf(row: PageRow): "system" | "memory" {
  return row.kind === "instructions" || row.kind === "goal" ? "system" : "memory";
}

/** The first pages that fit; one that is too large is passed over for the next. */
function affordable<T extends { row: PageRow }>(pages: readonly T[], tokens: number): T[] {
  let left = tokens;
  return pages.filter(({ row }) => {
    if (row.tokens > left) return false;
    left -= row.tokens;
    return true;
  });
}
