import { jsonDepth } from "./canonical-json.ts";
import { withDeadline } from "./deadline.ts";
import { ERRORS, type ErrorCode, err, type KernelError, ok, type Result } from "./errors.ts";
import { issuesOf } from "./input.ts";
import { LIMITS } from "./limits.ts";
import { expired, holdCall, isGoodConsent, type Leave, leaveFor, reasonsFor } from "./process/consent.ts";
import { mayBurn } from "./process/cpu-budget.ts";
import { countUnknownCpu } from "./process/cpu-count.ts";
import { CpuTab } from "./process/cpu-tab.ts";
import { exactAction } from "./process/exact-action.ts";
import { labelledFiles, labelledMemory } from "./process/labelled-access.ts";
import { parkCall } from "./process/parking.ts";
import type { AgentParts } from "./process/parts.ts";
import type { PendingCall } from "./process/pending.ts";
import { Seen, takeIn } from "./process/provenance.ts";
import type { Denials, Grants } from "./process/spec.ts";
import type { Reason } from "./scheduler/grant.ts";
import { type Label, labelOf } from "./security/label.ts";
import { allows } from "./security/levels.ts";
import { reachOf } from "./security/reach.ts";
import { Sight } from "./security/sight.ts";
import type { CallContext, Control, Effect, Outside, OutwardEffect, Syscall, ToolValue } from "./syscall.ts";

/**
 * The one door out of an agent. Whatever its model asks for passes here, in this order: parse the input, check the
 * capability, hold what needs a consent, log the intent, run, log the outcome. What a crash may leave behind follows from the call's effect:
 * internal calls commit with their record; others have a `pending` row before and their outcome in one transaction after.
 */

/** What is kept of an ended call until its step ends, as JSON in `pending.outcome`. */
export type CallOutcome = { result: Result<ToolValue>; exit?: { result: string; code: number } };

/** What is noted of a call while it runs: what it saw, and what its code burned. */
type Attempt = { seen: Seen; cpu: CpuTab };
const NO_ATTEMPT = (): Attempt => ({ seen: new Seen(), cpu: new CpuTab(0) });

type Admitted = { entry: Syscall; input: unknown };

export class Door {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** The calls that this process may make and that its spec offers, in the table's order. */
  offered(): Syscall[] {
    const row = this.#parts.process.get();
    const chosen = row.tools === null ? null : new Set(JSON.parse(row.tools) as string[]);
    const denied = new Set((JSON.parse(row.denials) as Denials).tools);
    const outside = this.#outside();
    return Object.values(this.#parts.syscalls).filter(
      (entry) =>
        allows(row.permission_level, entry.capability) &&
        (chosen === null || chosen.has(entry.name)) &&
        !denied.has(entry.name) &&
        entry.isOffered?.(outside) !== false,
    );
  }

  /** Whether the call only reads, so that it may run beside others. */
  isPure(call: PendingCall): boolean {
    return this.#effectOf(call) === "pure";
  }

  /** Whether a call whose outcome was lost may be made again: then and still now its receiver honours our key, or it only reads. */
  mayRepeat(call: PendingCall): boolean {
    return call.effect !== "external" && this.#effectOf(call) !== "external";
  }

  /** Runs one queued call to its outcome, or to where a person has to answer. */
  async run(call: PendingCall, abort: AbortSignal): Promise<void> {
    const admitted = this.#admit(call);
    if (!admitted.ok) return this.#parts.tx.run(() => this.#close(call, { result: admitted }));
    const { entry, input } = admitted.value;
    if (!(await mayBurn(this.#parts, call, entry.cpuMs ?? 0))) return;
    const leave = await leaveFor(this.#parts, call, reasonsFor(this.#parts, call, entry, input));
    if (entry.effect === "control") {
      this.#begin(call, leave, () => this.#control(call, entry.control(input)));
      return;
    }
    if (entry.effect === "internal") {
      this.#begin(call, leave, () => {
        const attempt = this.#attempt(entry, input);
        this.#close(call, { result: entry.run(this.#context(call, abort, attempt), input) }, attempt);
      });
      return;
    }
    const effect = entry.effect === "by-input" ? entry.effectOf(input, this.#outside()) : entry.effect;
    // A read leaves nothing behind: only one that had to be asked for is entered before it runs.
    const isEntered = leave.kind !== "free" || effect !== "pure";
    if (isEntered && !this.#begin(call, leave, () => this.#open(call, effect, entry.timeoutMs))) return;
    const attempt = this.#attempt(entry, input);
    const result = await withDeadline(entry.timeoutMs, abort, (signal) =>
      settled(entry.run(this.#context(call, signal, attempt), input), signal, { entry, effect }),
    );
    this.#parts.tx.run(() => this.#closeIfOurs(call, { result }, attempt));
  }

  /** Records the outcome of a call that somebody else ended: a person's answer, or nobody knows. */
  close(call: PendingCall, outcome: CallOutcome): void {
    this.#close(call, outcome);
  }

  /** Begins a call that may begin, in the transaction that uses its leave up; else holds it, or ends it. */
  #begin(call: PendingCall, leave: Leave, start: () => void): boolean {
    return this.#parts.tx.run(() => {
      if (leave.kind !== "free" && !this.#leaves(call, leave)) return false;
      start();
      return true;
    });
  }

  /** The rules were asked meanwhile: the call, and what the process may, are judged as they are now. */
  #leaves(call: PendingCall, leave: Exclude<Leave, { kind: "free" }>): boolean {
    const now = this.#parts.pending.get(call.call_id);
    if (now?.state !== "queued" || now.input !== call.input) return false;
    const admitted = this.#admit(now);
    if (!admitted.ok) return this.#refuse(now, admitted);
    const reasons = reasonsFor(this.#parts, now, admitted.value.entry, admitted.value.input);
    if (leave.kind === "rule") return this.#ruled(now, leave);
    if (leave.kind === "ask") return this.#hold(now, reasons);
    if (this.#parts.clock.now() >= leave.consent.expiresAt) return this.#refuse(now, expired(now));
    if (!isGoodConsent(this.#parts, now)) return this.#hold(now, reasons);
    this.#consented(now, { by: leave.consent.by });
    return true;
  }

  #ruled(call: PendingCall, { ruleId, decision }: Extract<Leave, { kind: "rule" }>): boolean {
    if (decision === "deny")
      return this.#refuse(call, err("denied", `a rule of the operator (${ruleId}) says no to ${call.name}`));
    this.#consented(call, { ruleId });
    return true;
  }

  #consented(call: PendingCall, by: Record<string, string>): void {
    const { actionSha256 } = exactAction(this.#parts, call);
    const data = { name: call.name, step: call.step, actionSha256, ...by };
    this.#parts.log.append("call.consented", "kernel", data, call.call_id);
  }

  #hold(call: PendingCall, reasons: Reason[]): false {
    const bytes = new TextEncoder().encode(exactAction(this.#parts, call).canonical).length;
    if (bytes <= LIMITS.approvalInputBytes) holdCall(this.#parts, call, reasons);
    else this.#refuse(call, unshowable(call, bytes));
    return false;
  }

  #refuse(call: PendingCall, result: { ok: false; error: KernelError }): false {
    this.#close(call, { result });
    return false;
  }

  #admit(call: PendingCall): Result<Admitted> {
    const entry = this.#parts.syscalls[call.name];
    if (entry === undefined) {
      return err(
        "unknown_tool",
        `there is no tool ${call.name}; there are ${this.offered()
          .map((one) => one.name)
          .join(", ")}`,
      );
    }
    const row = this.#parts.process.get();
    if (!allows(row.permission_level, entry.capability) || !this.offered().includes(entry)) {
      return err(
        "forbidden",
        `${call.name} needs ${entry.capability}, which this process (${row.permission_level}) was not given`,
      );
    }
    const admitted = this.#parse(entry, call.input);
    const error = admitted.ok ? this.#refusal(admitted.value) : null;
    return error === null ? admitted : { ok: false, error };
  }

  /** What depends on the input: where it goes, and whether it can be undone. */
  #refusal({ entry, input }: Admitted): KernelError | null {
    const level = this.#parts.process.get().permission_level;
    const undone = entry.irreversible?.(input) ?? null;
    if (undone !== null && !allows(level, "irreversible") && !allows(level, "irreversible.asked"))
      return err("forbidden", `${undone}, and this process (${level}) may not do such things`).error;
    return entry.permit?.(input, this.#outside()) ?? null;
  }

  #parse(entry: Syscall, text: string): Result<Admitted> {
    if (jsonDepth(text) > LIMITS.argumentDepth)
      return err("invalid_input", `the arguments of ${entry.name} nest deeper than ${LIMITS.argumentDepth}`);
    let value: unknown;
    try {
      value = JSON.parse(text === "" ? "{}" : text);
    } catch {
      return err("invalid_json", `the arguments of ${entry.name} are not JSON; send one JSON object`);
    }
    const parsed = entry.input.safeParse(value);
    if (parsed.success) return ok({ entry, input: parsed.data });
    const issues = issuesOf(parsed.error);
    const told = issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
    return err("invalid_input", `the arguments of ${entry.name} do not fit: ${told}`, { issues });
  }

  #control(call: PendingCall, control: Control): void {
    if (control.type === "exit") {
      const outcome: CallOutcome = { result: ok({}), exit: { result: control.result, code: control.code } };
      return this.#close(call, outcome);
    }
    const data = { name: call.name, step: call.step, waitsFor: "person", ...this.#judgement(call) };
    this.#parts.pending.wait(call.call_id, this.#parts.clock.now());
    this.#parts.log.append("call.start", this.#actor(), data, call.call_id);
  }

  #open(call: PendingCall, effect: Effect, timeoutMs: number): void {
    const { pending, process, clock, log, hash } = this.#parts;
    pending.start(call.call_id, effect, process.get().fence, clock.now(), clock.now() + timeoutMs);
    const data = {
      name: call.name,
      step: call.step,
      effect,
      attempt: call.attempt + 1,
      inputSha256: hash.sha256(call.input),
      ...this.#judgement(call),
    };
    log.append("call.start", this.#actor(), data, call.call_id);
  }

  /** A call whose turn was ended meanwhile left its row: its late outcome touches nothing. */
  #closeIfOurs(call: PendingCall, outcome: CallOutcome, attempt: Attempt): void {
    const row = this.#parts.pending.get(call.call_id);
    if (row === null || row.state === "done") return;
    if (outcome.result.ok || outcome.result.error.code !== "outcome_unknown")
      return this.#close(call, outcome, attempt);
    countUnknownCpu(this.#parts, row.call_id, attempt.cpu.usedMs);
    this.#lost(row);
  }

  /** Nobody answered: the receiver that honours keys is asked again, for some time; what became of any other call, a person finds out. */
  #lost(call: PendingCall): void {
    if (!this.mayRepeat(call) || call.attempt >= LIMITS.keyedTries) return parkCall(this.#parts, call, "no answer");
    const { pending, process, clock, log } = this.#parts;
    pending.requeue(call.call_id);
    process.change({ retry_at: clock.now() + LIMITS.keyedBackoffMs * 2 ** (call.attempt - 1) });
    log.append("call.retry", "kernel", { name: call.name, step: call.step, attempt: call.attempt }, call.call_id);
  }

  #close(call: PendingCall, told: CallOutcome, { seen, cpu }: Attempt = NO_ATTEMPT()): void {
    const { pending, process, log, hash } = this.#parts;
    const { outcome, stripped } = this.#takenIn(call, told, seen.label);
    pending.done(call.call_id, JSON.stringify(outcome));
    const { tool_calls: calls, cpu_ms: before } = process.get();
    process.change({ tool_calls: calls + 1, cpu_ms: before + cpu.usedMs, deaths: 0, retry_at: null });
    const failure = outcome.result.ok ? {} : { code: outcome.result.error.code };
    const data = {
      name: call.name,
      step: call.step,
      ok: outcome.result.ok,
      ...failure,
      ...(stripped === 0 ? {} : { stripped }),
      ...(cpu.usedMs === 0 ? {} : { cpuMs: cpu.usedMs }),
      inputSha256: hash.sha256(call.input),
      ...this.#judgement(call, outcome),
    };
    log.append("call.end", this.#actor(), data, call.call_id);
  }

  /** What the log says of the decision: the rule that let the call in, or why it was refused. */
  #judgement(call: PendingCall, outcome?: CallOutcome): Record<string, string> {
    if (outcome?.result.ok === false && REFUSALS.has(outcome.result.error.code)) return denial(outcome.result.error);
    const capability = this.#parts.syscalls[call.name]?.capability;
    if (capability === undefined) return {};
    return { decision: "allowed", capability, level: this.#parts.process.get().permission_level };
  }

  /** What it saw counts as read from here on, errors too: a host may write those. */
  #takenIn(call: PendingCall, told: CallOutcome, seen: Label): { outcome: CallOutcome; stripped: number } {
    const { result } = told;
    const { value, stripped } = takeIn(this.#parts, call, seen, result.ok ? result.value : { ...result.error });
    if (stripped === 0) return { outcome: told, stripped };
    const shown: CallOutcome["result"] = result.ok ? ok(value) : { ok: false, error: { ...result.error, ...value } };
    return { outcome: { ...told, result: shown }, stripped };
  }

  #attempt(entry: Syscall, input: unknown): Attempt {
    const attempt = { seen: new Seen(), cpu: new CpuTab(entry.cpuMs ?? 0) };
    const brought = entry.brings?.(input) ?? null;
    if (brought !== null) attempt.seen.add(brought);
    return attempt;
  }

  /** What the call would leave behind if it ran now. Null for one that would not run. */
  #effectOf(call: PendingCall): Syscall["effect"] | null {
    const entry = this.#parts.syscalls[call.name];
    if (entry?.effect !== "by-input") return entry?.effect ?? null;
    const parsed = this.#parse(entry, call.input);
    return parsed.ok ? entry.effectOf(parsed.value.input, this.#outside()) : null;
  }

  #context(call: PendingCall, signal: AbortSignal, { seen, cpu }: Attempt): CallContext {
    const { process, clock, context, files, fileLabels, sandbox, credentials } = this.#parts;
    const read = () => labelOf(process.get().label);
    const { id, tenant } = process.get();
    const common = {
      callId: call.call_id,
      process: { id, tenant },
      clock,
      memory: labelledMemory(context, seen),
      files: labelledFiles(files.seenWith(this.#sight()), fileLabels, seen, read),
      sandbox: cpu.of(sandbox),
      credentials,
      signal,
    };
    return { ...common, ...this.#outside() };
  }

  #outside(): Outside {
    const { permission_level: level, grants, denials } = this.#parts.process.get();
    const { hosts = [], credentials = [] } = JSON.parse(grants) as Grants;
    const { hosts: denied = [] } = JSON.parse(denials) as Denials;
    return { egress: this.#parts.egress, reach: reachOf(level, hosts, denied), mayUse: credentials };
  }

  #sight(): Sight {
    const { permission_level: level, grants, denials } = this.#parts.process.get();
    return new Sight(level, JSON.parse(grants) as Grants, JSON.parse(denials) as Denials);
  }

  #actor(): string {
    return `agent:${this.#parts.process.get().id}`;
  }
}

/** Codes of calls that were not let in, or not as far as they wanted to go. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "forbidden",
  "denied",
  "unknown_tool",
  "invalid_json",
  "invalid_input",
] as const);

/** What was wrong with arguments may quote them, so the log says only that; a refusal speaks of rules. */
function denial({ code, message }: KernelError): Record<string, string> {
  const speaksOfRules = code === "forbidden" || code === "denied";
  return { decision: "denied", reason: speaksOfRules ? message.slice(0, LIMITS.auditReasonChars) : ERRORS[code].title };
}

/** The result of `running`, or a failure when its signal aborts first or it throws. What acted outside may go on acting. */
async function settled(
  running: Promise<Result<ToolValue>>,
  signal: AbortSignal,
  { entry, effect }: { entry: Syscall; effect: OutwardEffect },
): Promise<Result<ToolValue>> {
  const code = effect === "pure" ? "deadline_exceeded" : "outcome_unknown";
  const aborted = new Promise<Result<ToolValue>>((resolve) => {
    const stop = () => resolve(err(code, `${entry.name} did not end within ${entry.timeoutMs} ms`));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return await Promise.race([
    running.catch((cause: unknown) => ({ ok: false as const, error: thrown(entry, cause) })),
    aborted,
  ]);
}

function unshowable({ name }: PendingCall, bytes: number) {
  const most = LIMITS.approvalInputBytes;
  return err(
    "too_large",
    `${name} needs an approval, and its ${bytes} bytes are more than a person is shown (${most})`,
  );
}

function thrown(entry: Syscall, cause: unknown): KernelError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { code: "tool_failed", message: `${entry.name} failed: ${message.slice(0, LIMITS.snippetChars)}` };
}
