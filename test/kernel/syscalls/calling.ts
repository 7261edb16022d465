import type { PageEntry, PagePatch, SearchHit } from "../../../kernel/context/page.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import type { CredentialStore } from "../../../kernel/security/credential.ts";
import { makeEgress } from "../../../kernel/security/egress.ts";
import { reachOf } from "../../../kernel/security/reach.ts";
import type { Sandbox } from "../../../kernel/security/sandbox/sandbox.ts";
import { MemoryStorage } from "../../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../../kernel/storage/mounts.ts";
import type { CallContext, Memory, Outside, ToolValue } from "../../../kernel/syscall.ts";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";
import { runInQuickJs } from "../../../workers/sandbox/quickjs-run.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";

/** A process as system calls see it: files in memory, and a memory of pages that is a plain map. */

export class MapMemory implements Memory {
  readonly pages = new Map<string, PageEntry & { content: string }>();

  async search(query: string, limit: number): Promise<SearchHit[]> {
    return [...this.pages.values()]
      .filter((page) => page.content.includes(query))
      .slice(0, limit)
      .map(({ id, tier, source, content }) => ({ id, score: 1, tier, source, snippet: content.slice(0, 20) }));
  }

  async touch(pageId: string) {
    const page = this.pages.get(pageId);
    return page ? ok({ page, fault: "minor" as const }) : err("not_found", `There is no page ${pageId}.`);
  }

  note(input: { content: string; importance: number }): Result<PageEntry[]> {
    const id = `pg_${this.pages.size}`;
    const page: PageEntry & { content: string } = {
      id,
      kind: "note",
      tier: "hot",
      tokens: Math.ceil(input.content.length / 4),
      bytes: input.content.length,
      sha256: nodeHash.sha256(input.content),
      pinned: false,
      importance: input.importance,
      source: "",
      ordinal: this.pages.size,
      createdAt: "2026-01-01T00:00:00.000Z",
      content: input.content,
    };
    this.pages.set(id, page);
    return ok([page]);
  }

  patch(pageId: string, patch: PagePatch): Result<PageEntry> {
    const page = this.pages.get(pageId);
    if (page === undefined) return err("not_found", `There is no page ${pageId}.`);
    Object.assign(page, patch);
    return ok(page);
  }

  forget(pageId: string): Result<null> {
    return this.pages.delete(pageId) ? ok(null) : err("not_found", `There is no page ${pageId}.`);
  }
}

export class Caller {
  readonly memory = new MapMemory();
  readonly clock = new TestClock();
  readonly files = new Mounts({ "/workspace": new MemoryStorage({ clock: this.clock, hash: nodeHash }) });
  readonly sandbox: Sandbox = { run: runInQuickJs };
  readonly credentials: CredentialStore = { open: async (name) => err("not_found", `There is no ${name}.`) };
  readonly outside: Outside = {
    egress: makeEgress({}, { allowed: fetch, public: fetch }),
    reach: reachOf("STANDARD", []),
    mayUse: [],
  };
  #calls = 0;

  /** Parses and runs one call as the door does. `callId` repeats a call that crashed. */
  async call(name: string, input: unknown, callId = `call_${++this.#calls}`): Promise<Result<ToolValue>> {
    const entry = SYSCALLS[name];
    if (entry === undefined || entry.effect === "control") throw new Error(`${name} does not run`);
    const { memory, files, clock, credentials } = this;
    const context: CallContext = {
      ...this.outside,
      sandbox: this.sandbox,
      credentials,
      callId,
      process: { id: "agt_1", tenant: "default" },
      clock,
      memory,
      files,
      signal: new AbortController().signal,
    };
    return entry.run(context, entry.input.parse(input));
  }
}
