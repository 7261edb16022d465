import type { Door } from "../door.ts";
import { err, ok, type Result } from "../errors.ts";
import { callIdOf } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { Action, OpenQuestion } from "../scheduler/grant.ts";
import { CONSENTS, type Consent, expired, heldOf, isPerson } from "./consent.ts";
import { exactAction } from "./exact-action.ts";
import type { Next } from "./next.ts";
import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";
import { endTurn } from "./turn.ts";

/**
 * Parked calls: something may have happened outside, nobody here can find out, and running it again might do it twice. The
 * process waits, at no cost, for a person who looks and says what is so; the step stands still meanwhile, later calls too,
 * because they may build on this one. When nobody says it in time, the message ends as parked, and a daemon lives on.
 *
 * What a person decides is bound to one attempt at one call with one input: an approval of anything else is refused.
 */

/** done = it happened; not_done = it did not, so run it again, once, under the same key; abandon = nobody will find out. */
const FINDINGS = ["done", "not_done", "abandon"] as const;
type Finding = (typeof FINDINGS)[number];
/** All that a person can decide: what became of a call, or whether one may run (consent.ts). */
export const DECISIONS = [...FINDINGS, ...CONSENTS] as const;
export type Decision = (typeof DECISIONS)[number];

export interface Verdict {
  callId: string;
  attempt: number;
  inputSha256: string;
  /** Of the whole action; absent in what an older version asked. */
  actionSha256?: string | undefined;
  decision: Decision;
  /** What the call answered, as the person tells it: only with `done`. */
  answer: string | null;
  /** What the agent is told of a no. */
  note?: string | undefined;
}

/** Why the outcome is not known. */
export type Parked = "crash" | "no answer";

const KNOWN: Record<Parked, string> = {
  crash: "the process died while it was under way",
  "no answer": "it was sent and no answer came",
};

/** The caller's transaction. A parked call kills nobody any more, so its deaths are forgotten. */
export function parkCall({ pending, process, clock, log, hash }: AgentParts, call: PendingCall, why: Parked): void {
  pending.park(call.call_id, JSON.stringify({ why }), clock.now() + LIMITS.parkedMs);
  process.change({ deaths: 0 });
  const { name, step, attempt } = call;
  log.append("call.parked", "kernel", { name, step, attempt, why, inputSha256: hash.sha256(call.input) }, call.call_id);
}

/** The loop came by a parked call: waits on, or gives it up when its time is over. */
export function awaitVerdict(parts: AgentParts, door: Door, call: PendingCall): Next {
  return parts.tx.run(() => {
    if (parts.clock.now() >= call.deadline_at) {
      decide(parts, door, call, { decision: "abandon", answer: null, actor: "kernel" });
      return "again";
    }
    parts.process.transition({ to: "waiting", reason: "approval" }, { retry_at: call.deadline_at });
    return "rest";
  });
}

/** Calls that are held wait on, and end when nobody says yes in time. */
export function awaitConsent(parts: AgentParts, door: Door, held: readonly PendingCall[]): Next {
  return parts.tx.run(() => {
    const late = held.filter((call) => parts.clock.now() >= call.deadline_at);
    for (const call of late) door.close(call, { result: expired(call) });
    if (late.length > 0) return "again";
    const earliest = Math.min(...held.map((call) => call.deadline_at));
    parts.process.transition({ to: "waiting", reason: "approval" }, { retry_at: earliest });
    return "rest";
  });
}

const NOT_WAITED_FOR = err("conflict", "the process does not wait for this decision any more");

/** A person's word. `conflict` when it is not, or no more, about what waits here. The caller's transaction. */
export function decideCall(parts: AgentParts, door: Door, verdict: Verdict, actor: string): Result<null> {
  if (!isPerson(actor))
    return err("forbidden", "only a person decides: an agent approves nothing, least of all itself");
  const call = parts.pending.get(verdict.callId);
  if (call === null || !isAbout(parts, call, verdict)) return NOT_WAITED_FOR;
  const { decision } = verdict;
  if (call.state === "held" && isConsent(decision)) consent(parts, door, call, { ...verdict, decision, actor });
  else if (call.state === "parked" && !isConsent(decision)) decide(parts, door, call, { ...verdict, decision, actor });
  else return NOT_WAITED_FOR;
  return ok(null);
}

function isConsent(decision: Decision): decision is (typeof CONSENTS)[number] {
  return CONSENTS.some((one) => one === decision);
}

/** Whether the word is about this try of the call, with this input, and comes in time. */
function isAbout(parts: AgentParts, call: PendingCall, verdict: Verdict): boolean {
  const { actionSha256 } = exactAction(parts, call);
  const isHeld = call.state === "held";
  return (
    call.attempt === verdict.attempt &&
    parts.hash.sha256(call.input) === verdict.inputSha256 &&
    (!isHeld || heldOf(call).actionSha256 === actionSha256) &&
    (verdict.actionSha256 === undefined ? !isHeld : verdict.actionSha256 === actionSha256) &&
    parts.clock.now() < call.deadline_at
  );
}

type Consented = { decision: (typeof CONSENTS)[number]; note?: string | undefined; actor: string };

function consent(parts: AgentParts, door: Door, call: PendingCall, { decision, note, actor }: Consented): void {
  const { log, pending, hash } = parts;
  const { actionSha256 } = heldOf(call);
  const told = note === undefined ? {} : { noteSha256: hash.sha256(note) };
  const data = { name: call.name, step: call.step, attempt: call.attempt, decision, actionSha256, ...told };
  log.append("call.decided", actor, { ...data, inputSha256: hash.sha256(call.input) }, call.call_id);
  if (decision === "approve") {
    const given: Consent = { consent: { actionSha256, by: actor, expiresAt: call.deadline_at } };
    return pending.consent(call.call_id, JSON.stringify(given));
  }
  const said = note === undefined ? "" : `: ${note}`;
  door.close(call, { result: err("denied", `a person said no to ${call.name}${said}`) });
}

function decide(
  parts: AgentParts,
  door: Door,
  call: PendingCall,
  { decision, answer, actor }: { decision: Finding; answer: string | null; actor: string },
): void {
  const { log, hash, pending } = parts;
  const told = answer === null ? {} : { answerSha256: hash.sha256(answer) };
  const data = { name: call.name, step: call.step, attempt: call.attempt, decision, ...told };
  log.append("call.decided", actor, { ...data, inputSha256: hash.sha256(call.input) }, call.call_id);
  if (decision === "not_done") return pending.requeue(call.call_id);
  if (decision === "done") return door.close(call, { result: ok({ confirmedBy: "a person", answer }) });
  const unknown = err(
    "outcome_unknown",
    `${call.name}: ${knownOf(call)}, and nobody could find out whether it happened`,
  );
  door.close(call, { result: unknown });
  endTurn(parts, { state: "parked", error: unknown.error });
}

/** The approval that asks about this attempt. */
export function approvalOf(parts: AgentParts, call: PendingCall): OpenQuestion {
  const { hash } = parts;
  const known = knownOf(call);
  const action: Action = {
    tool: call.name,
    callId: call.call_id,
    attempt: call.attempt,
    input: call.input.slice(0, LIMITS.actionInputChars),
    inputSha256: hash.sha256(call.input),
    startedAt: new Date(call.started_at).toISOString(),
    known,
    actionSha256: exactAction(parts, call).actionSha256,
  };
  return {
    // Another attempt is another approval: one that was given is used up.
    id: callIdOf(`${call.call_id}/${call.attempt}`, hash).replace(/^call_/, "apr_"),
    callId: call.call_id,
    kind: "approval",
    question: `Did ${call.name} happen? ${known[0]?.toUpperCase()}${known.slice(1)}. It is not run again unless you say that it did not happen.`,
    options: [...FINDINGS],
    action,
    createdAt: call.started_at,
    expiresAt: call.deadline_at,
  };
}

function knownOf(call: PendingCall): string {
  const { why } = JSON.parse(call.outcome ?? '{"why":"crash"}') as { why: Parked };
  return KNOWN[why];
}
