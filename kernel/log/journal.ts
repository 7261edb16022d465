import * as z from "zod";
import { ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { usd } from "../process/block.ts";
import type { Settlement } from "../scheduler/grant.ts";
import type { Log, LogEntry } from "./log.ts";

/** The journal: the log seen step by step. A step is one model call with the tool calls it asked for. */

export const stepView = z.object({
  /** 1, 2, 3, ... over the life of the process. A call that failed or was lost is a step of its own with the same number. */
  step: z.int(),
  callId: z.string(),
  /** The message that the step worked on. */
  messageId: z.string(),
  state: z.enum(["running", "done", "failed", "lost"]),
  /** Why it failed. */
  code: z.string().optional(),
  model: z.string(),
  attempt: z.int(),
  promptTokens: z.int(),
  cachedTokens: z.int(),
  completionTokens: z.int(),
  costNanoUsd: z.int(),
  costUsd: z.string(),
  /** The call that a crash cut and whose reply this one goes on with. */
  resumedFrom: z.string().optional(),
  /** The call that a crash cut and that this one does again. */
  restartedFrom: z.string().optional(),
  toolCalls: z.array(
    z.object({ callId: z.string(), name: z.string(), ok: z.boolean().nullable(), code: z.string().optional() }),
  ),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type StepView = z.infer<typeof stepView>;

const MODEL_CALL = "llm.complete";

/**
 * At most `limit` steps from the beginning, or after the cursor (the log number of the last step's start). Reads on to the
 * end of the last one, so that it shows its tool calls.
 */
export function readJournal(
  log: Log,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Result<{ items: StepView[]; nextCursor: string | null }> {
  const steps: { seq: number; view: StepView }[] = [];
  const start = cursor === undefined ? 0 : Number(cursor);
  for (let after = start; ; ) {
    const entries = log.after(after, LIMITS.eventReplayRows);
    for (const entry of entries) {
      if (isStepStart(entry)) {
        if (steps.length === limit) return ok(page(steps, true));
        steps.push({ seq: entry.seq, view: started(entry) });
      } else add(entry, steps);
    }
    after = entries.at(-1)?.seq ?? after;
    if (entries.length < LIMITS.eventReplayRows) return ok(page(steps, false));
  }
}

function page(steps: { seq: number; view: StepView }[], more: boolean) {
  return { items: steps.map((step) => step.view), nextCursor: more ? String(steps.at(-1)?.seq ?? 0) : null };
}

function isStepStart(entry: LogEntry): boolean {
  return entry.kind === "call.start" && entry.data["name"] === MODEL_CALL;
}

function started({ data, callId, at }: LogEntry): StepView {
  return {
    step: Number(data["step"]),
    callId: callId ?? "",
    messageId: String(data["messageId"]),
    state: "running",
    model: String(data["model"]),
    attempt: Number(data["attempt"]),
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    costNanoUsd: 0,
    costUsd: usd(0),
    ...(typeof data["resumedFrom"] === "string" ? { resumedFrom: data["resumedFrom"] } : {}),
    ...(typeof data["restartedFrom"] === "string" ? { restartedFrom: data["restartedFrom"] } : {}),
    toolCalls: [],
    startedAt: new Date(at).toISOString(),
    endedAt: null,
  };
}

function add(entry: LogEntry, steps: { view: StepView }[]): void {
  const { data, callId } = entry;
  if (entry.kind !== "call.end" && entry.kind !== "call.start") return;
  const step =
    data["name"] === MODEL_CALL
      ? steps.find(({ view }) => view.callId === callId)
      : steps.findLast(({ view }) => view.step === data["step"]);
  if (step === undefined) return;
  if (data["name"] === MODEL_CALL) end(step.view, entry);
  else addTool(step.view, entry);
}

function end(view: StepView, { data, at }: LogEntry): void {
  const settlement = data["settlement"] as Settlement | undefined;
  view.state = data["ok"] === true ? "done" : data["code"] === "lost" ? "lost" : "failed";
  if (typeof data["code"] === "string") view.code = data["code"];
  view.promptTokens = settlement?.usage?.promptTokens ?? 0;
  view.cachedTokens = settlement?.usage?.cachedTokens ?? 0;
  view.completionTokens = settlement?.usage?.completionTokens ?? 0;
  view.costNanoUsd = settlement?.costNanoUsd ?? 0;
  view.costUsd = usd(view.costNanoUsd);
  view.endedAt = new Date(at).toISOString();
}

/** A call that is logged before and after it runs is shown once. */
function addTool(view: StepView, { data, callId, kind }: LogEntry): void {
  const known = view.toolCalls.find((call) => call.callId === callId);
  const call = known ?? { callId: callId ?? "", name: String(data["name"]), ok: null };
  if (known === undefined) view.toolCalls.push(call);
  if (kind !== "call.end") return;
  call.ok = data["ok"] === true;
  if (typeof data["code"] === "string") Object.assign(call, { code: data["code"] });
}
