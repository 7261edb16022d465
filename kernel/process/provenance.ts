import * as z from "zod";
import { LIMITS } from "../limits.ts";
import type { LogEntry } from "../log/log.ts";
import { reason } from "../scheduler/grant.ts";
import { heldBack, type Outward } from "../security/flow.ts";
import { HostRules } from "../security/host-rules.ts";
import { isSame, join, LABELS, type Label, label, labelOf, labelText } from "../security/label.ts";
import { visibleValue } from "../security/visible-text.ts";
import type { Syscall, ToolValue } from "../syscall.ts";
import { isGivenUrl } from "./given-urls.ts";
import type { AgentParts } from "./parts.ts";
import type { Grants } from "./spec.ts";

/**
 * What a process has read, as one label: the join of everything that ever stood in its prompt or came back from its calls. It never
 * falls while the process lives, because whatever the model read may stand in what it says, notes and writes from then on; another
 * task in another process is how one gets rid of it. What the process writes carries the label on.
 */

/** What raised a label. */
type Origin = { message: string } | { page: string } | { call: string; tool: string };

/** The caller's transaction. Joins `more` into what the process has read; at most four times in its life this writes an entry. */
export function raise({ process, log }: Pick<AgentParts, "process" | "log">, more: Label, by: Origin): void {
  const before = labelOf(process.get().label);
  const after = join(before, more);
  if (isSame(before, after)) return;
  process.change({ label: labelText(after) });
  log.append("label.raised", "kernel", { from: before, to: after, by });
}

/** The caller's transaction, before a model call: what its prompt shows, one page of each label, counts as read. */
export function readPrompt(parts: AgentParts, shown: readonly { label: string; id: string }[]): void {
  for (const { id, label: text } of shown) raise(parts, labelOf(text), { page: id });
}

/** What one call sees while it runs. */
export class Seen {
  #label: Label = LABELS.orders;

  get label(): Label {
    return this.#label;
  }

  add(more: Label): void {
    this.#label = join(this.#label, more);
  }
}

/** The caller's transaction, at the end of a call: what it saw is read, and what is hidden in it does not reach the model. */
export function takeIn(
  parts: AgentParts,
  call: { call_id: string; name: string },
  seen: Label,
  value: ToolValue,
): { value: ToolValue; stripped: number } {
  raise(parts, seen, { call: call.call_id, tool: call.name });
  if (seen.trust !== "untrusted") return { value, stripped: 0 };
  const visible = visibleValue(value);
  countStripped(parts, visible.stripped);
  return visible;
}

/** The caller's transaction. */
export function countStripped({ process }: Pick<AgentParts, "process">, stripped: number): void {
  if (stripped > 0) process.change({ stripped: process.get().stripped + stripped });
}

/** Why the call waits for a person because of what the process has read, or null. */
export function flowReason(parts: AgentParts, entry: Syscall, input: unknown): string | null {
  const outward = entry.outward?.(input) ?? null;
  const undone = entry.irreversible?.(input) ?? null;
  if (outward === null && undone === null) return null;
  const read = labelOf(parts.process.get().label);
  // A program with a network may read every file and send what it reads before anybody sees it.
  const reached = outward?.act === "code" ? join(read, parts.fileLabels.all()) : read;
  if (reached.trust !== "untrusted") return null;
  const isNamed = outward?.url != null && isGivenUrl(parts, outward.url);
  return heldBack({ label: reached, outward, isNamed, isGranted: isGranted(parts, outward), undone });
}

function isGranted({ process }: AgentParts, outward: Outward | null): boolean {
  const url = outward?.url == null ? null : URL.parse(outward.url);
  const rules = HostRules.of((JSON.parse(process.get().grants) as Grants).hosts ?? []);
  return url !== null && rules.ok && rules.value.matches(url);
}

const count = z.int().nonnegative();

export const provenanceReport = z.object({
  /** Of everything that the process has read. */
  label,
  /** What made it so, in order. */
  raised: z.array(
    z.object({
      seq: count,
      at: z.iso.datetime(),
      to: label,
      by: z.union([
        z.object({ message: z.string() }),
        z.object({ page: z.string() }),
        z.object({ call: z.string(), tool: z.string() }),
      ]),
    }),
  ),
  /** Its pages by label, in all tiers. */
  pages: z.array(z.object({ label, pages: count })),
  files: z.array(z.object({ path: z.string(), label })),
  /** Calls that waited for a person, and why. */
  held: z.array(
    z.object({
      seq: count,
      at: z.iso.datetime(),
      callId: z.string(),
      tool: z.string(),
      reasons: z.array(reason),
    }),
  ),
  /** Invisible characters taken out of untrusted content. */
  stripped: count,
});
export type ProvenanceReport = z.infer<typeof provenanceReport>;

export function provenanceOf({ process, log, context, fileLabels }: AgentParts): ProvenanceReport {
  const row = process.get();
  const of = (kind: string) => log.page(LIMITS.provenanceRows, 0, { kind, from: 0 }).items.map(timed);
  const [raised, held] = [of("label.raised"), of("call.held")];
  return {
    label: labelOf(row.label),
    raised: raised.map(({ seq, at, data }) => {
      const { to, by } = data as { to: Label; by: Origin };
      return { seq, at, to, by };
    }),
    pages: context.labels().map((one) => ({ label: labelOf(one.label), pages: one.pages })),
    files: fileLabels.list(LIMITS.provenanceRows).map((one) => ({ path: one.path, label: labelOf(one.label) })),
    held: held.map(({ seq, at, callId, data }) => {
      const { name, reasons } = data as { name: string; reasons: ProvenanceReport["held"][number]["reasons"] };
      return { seq, at, callId: callId ?? "", tool: name, reasons };
    }),
    stripped: row.stripped,
  };
}

function timed({ at, ...entry }: LogEntry): Omit<LogEntry, "at"> & { at: string } {
  return { ...entry, at: new Date(at).toISOString() };
}
