import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS, labelOf } from "../security/label.ts";
import type { FileEntry, FileListing, FileRange, StorageDriver } from "../storage/driver.ts";
import { clamp, notFound, pageSize } from "../storage/drivers/rules.ts";
import { comparePaths, PROC } from "../storage/path.ts";
import type { AgentParts } from "./parts.ts";
import { blockOf } from "./report.ts";

/**
 * `/proc`: what the kernel says of the process, as text that is made when it is read. Nothing of it was written by anybody else: no
 * titles, sources or contents of pages, no errors of hosts. So reading it gives the process no label.
 */

const TEXTS: Readonly<Record<string, (parts: AgentParts) => string>> = {
  [`${PROC}/limits`]: limitsText,
  [`${PROC}/map`]: mapText,
  [`${PROC}/status`]: statusText,
};

const READ_ONLY = err("forbidden", `${PROC} is read-only: the kernel writes it.`);

export class ProcFiles implements StorageDriver {
  readonly name = "proc";
  readonly #parts: () => AgentParts;

  constructor(parts: () => AgentParts) {
    this.#parts = parts;
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const made = this.#make(path);
    if (made === null) return notFound(path);
    const { offset, length } = clamp(range, made.bytes.length);
    return ok({ file: made.file, bytes: made.bytes.slice(offset, offset + length) });
  }

  async put(): Promise<Result<FileEntry>> {
    return READ_ONLY;
  }

  async delete(): Promise<Result<null>> {
    return READ_ONLY;
  }

  async list(
    prefix: string,
    { limit, cursor }: { limit: number; cursor?: string | undefined },
  ): Promise<Result<FileListing>> {
    const paths = Object.keys(TEXTS).filter(
      (path) => path.startsWith(prefix) && (cursor === undefined || comparePaths(path, cursor) > 0),
    );
    const page = paths.slice(0, pageSize(limit));
    const items = page.flatMap((path) => this.#make(path)?.file ?? []);
    return ok({ items, nextCursor: paths.length > page.length ? (page.at(-1) ?? null) : null });
  }

  #make(path: string): { file: FileEntry; bytes: Uint8Array } | null {
    const text = Object.hasOwn(TEXTS, path) ? TEXTS[path] : undefined;
    if (text === undefined) return null;
    const parts = this.#parts();
    const bytes = new TextEncoder().encode(text(parts));
    const updatedAt = new Date(parts.clock.now()).toISOString();
    const facts = { version: 1, bytes: bytes.length, sha256: parts.hash.sha256(bytes), updatedAt };
    return { file: { path, ...facts, label: LABELS.orders }, bytes };
  }
}

function statusText(parts: AgentParts): string {
  const { id, state, priority, permissionLevel, parentId, usage } = blockOf(parts);
  const { trust, sensitivity } = labelOf(parts.process.get().label);
  const { promptTokens, cachedTokens, completionTokens, steps, toolCalls, costUsd } = usage;
  return linesOf([
    ["id", id],
    ["state", state],
    ["level", permissionLevel],
    ["priority", priority],
    ["parent", parentId ?? "none"],
    ["label", `${trust}/${sensitivity}`],
    ["promptTokens", promptTokens],
    ["cachedTokens", cachedTokens],
    ["completionTokens", completionTokens],
    ["steps", steps],
    ["toolCalls", toolCalls],
    ["costUsd", costUsd],
  ]);
}

/** The page table in short: how many pages are where, and the first of them with their sizes. */
function mapText({ context }: AgentParts): string {
  const { residentTokens, windowTokens, hotPages, warmPages, coldPages } = context.stats();
  const { items, nextCursor } = context.list({ limit: LIMITS.procPages });
  const head = linesOf([
    ["windowTokens", windowTokens],
    ["residentTokens", residentTokens],
    ["hotPages", hotPages],
    ["warmPages", warmPages],
    ["coldPages", coldPages],
  ]);
  const pages = items.map(({ id, kind, tier, tokens, pinned }) => [id, kind, tier, tokens, pinned ? "pinned" : "-"]);
  const rest = nextCursor === null ? "" : `and more; these are the first ${items.length}\n`;
  return `${head}\nid kind tier tokens pinned\n${pages.map((page) => `${page.join(" ")}\n`).join("")}${rest}`;
}

/** Quotas of the process with their meters, and whatever stops it: none = only its parents' and the tenant's. */
function limitsText(parts: AgentParts): string {
  const { quotas } = blockOf(parts);
  const meters = Object.entries(quotas).map(
    ([name, { limit, used, reserved, per }]) => `${name} ${limit} ${used} ${reserved} ${per}\n`,
  );
  return `quota limit used reserved per\n${meters.length === 0 ? "none\n" : meters.join("")}`;
}

function linesOf(facts: readonly (readonly [string, string | number])[]): string {
  return facts.map(([name, value]) => `${name}: ${value}\n`).join("");
}
