import { err } from "../errors.ts";
import { callIdOf } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { Action, OpenQuestion, Reason } from "../scheduler/grant.ts";
import { allows } from "../security/levels.ts";
import type { Syscall } from "../syscall.ts";
import { exactAction } from "./exact-action.ts";
import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";
import { flowReason } from "./provenance.ts";
import type { PermissionLevel } from "./spec.ts";

/**
 * Consent before a call acts: by the process's level, because the call cannot be undone; or by the agent's setting, which names
 * tools that always ask. The call is held: its process waits at no cost until a person, or a rule that a person made,
 * says yes or no, or until the time for it is over.
 *
 * A yes is bound to one exact action (exact-action.ts), stands in the call's own row, and is used up in the transaction that begins
 * the call. Whatever does not fit any more is asked anew. A consent never widens what the process may: the door judges level,
 * grants and egress before it and after it.
 */

/** What stands in `outcome` of a call that is held. */
export interface Held {
  reasons: Reason[];
  actionSha256: string;
}

/** What stands there when a person said yes, until the call begins. */
export interface Consent {
  consent: { actionSha256: string; by: string; expiresAt: number };
}

/** How a call may begin. `free` = nobody has to be asked. */
export type Leave =
  | { kind: "free" }
  | { kind: "person"; consent: Consent["consent"] }
  | { kind: "rule"; ruleId: string; decision: "approve" | "deny" }
  | { kind: "ask"; reasons: Reason[] };

/** Why the call needs a consent. A call that began once had it: what recovery repeats is the same action under the same key. */
export function reasonsFor(parts: AgentParts, call: PendingCall, entry: Syscall, input: unknown): Reason[] {
  if (call.attempt > 0) return [];
  const { permission_level: level, asks } = parts.process.get();
  const undone = entry.irreversible?.(input) ?? null;
  const flow = flowReason(parts, entry, input);
  return [
    ...(undone === null || !asksFor(level) ? [] : [{ kind: "irreversible" as const, message: undone }]),
    ...((JSON.parse(asks) as string[]).includes(call.name)
      ? [{ kind: "setting" as const, message: `this agent is set to ask before ${call.name}` }]
      : []),
    ...(flow === null ? [] : [{ kind: "provenance" as const, message: flow }]),
  ];
}

/** Whether the level does what cannot be undone only with a consent. */
function asksFor(level: PermissionLevel): boolean {
  return allows(level, "irreversible.asked") && !allows(level, "irreversible");
}

/** What the call has: a person's yes in its own row, or what the operator's rules say. Nothing is decided here. */
export async function leaveFor(parts: AgentParts, call: PendingCall, reasons: Reason[]): Promise<Leave> {
  if (reasons.length === 0) return { kind: "free" };
  const consent = consentOf(call);
  if (consent !== null) return { kind: "person", consent };
  const { host, canonicalSha256 } = exactAction(parts, call);
  const narrow = reasons.some(({ kind }) => kind === "provenance");
  const rule = await parts.core.ruleFor(parts.process.get().id, { tool: call.name, host, canonicalSha256, narrow });
  return rule === null ? { kind: "ask", reasons } : { kind: "rule", ...rule };
}

/** Whether a person's yes is about what is about to run, and still counts. */
export function isGoodConsent(parts: AgentParts, call: PendingCall): boolean {
  const consent = consentOf(call);
  return consent?.actionSha256 === exactAction(parts, call).actionSha256 && parts.clock.now() < consent.expiresAt;
}

export function consentOf({ state, outcome }: PendingCall): Consent["consent"] | null {
  if (state !== "queued" || outcome === null) return null;
  return (JSON.parse(outcome) as Partial<Consent>).consent ?? null;
}

/** Enters that the call waits for a person. The caller's transaction. */
export function holdCall(parts: AgentParts, call: PendingCall, reasons: Reason[]): void {
  const { pending, process, clock, log, hash } = parts;
  const { actionSha256 } = exactAction(parts, call);
  const expiresAt = clock.now() + LIMITS.approvalMs;
  pending.hold(call.call_id, JSON.stringify({ reasons, actionSha256 } satisfies Held), clock.now(), expiresAt);
  const data = { name: call.name, step: call.step, reasons, actionSha256, inputSha256: hash.sha256(call.input) };
  log.append("call.held", `agent:${process.get().id}`, { ...data, expiresAt }, call.call_id);
}

export function heldOf(call: PendingCall): Held {
  return JSON.parse(call.outcome ?? '{"reasons":[],"actionSha256":""}') as Held;
}

/** Nobody said yes in time. */
export function expired({ name }: PendingCall) {
  return err("approval_expired", `nobody approved ${name} in time; it has not run`);
}

/** Whoever holds a key of the tenant, as the API records it. */
export function isPerson(actor: string): boolean {
  return actor.startsWith("key:");
}

/** What a person decides on a call that is held. */
export const CONSENTS = ["approve", "deny"] as const;

/** The approval that asks for leave to run this call. Another hold of it is another approval. */
export function consentQuestion(parts: AgentParts, call: PendingCall): OpenQuestion {
  const { reasons, actionSha256 } = heldOf(call);
  const { canonical, canonicalSha256, host } = exactAction(parts, call);
  const told = reasons.map(({ message }) => message).join("; ");
  const action: Action = {
    tool: call.name,
    callId: call.call_id,
    attempt: call.attempt,
    input: canonical,
    inputSha256: parts.hash.sha256(call.input),
    startedAt: new Date(call.started_at).toISOString(),
    known: "it has not run",
    actionSha256,
    canonicalSha256,
    host,
    reasons,
  };
  return {
    id: callIdOf(`${call.call_id}/${actionSha256}/${call.started_at}`, parts.hash).replace(/^call_/, "apr_"),
    callId: call.call_id,
    kind: "approval",
    question: `May ${call.name} run? It is asked because ${told}.`,
    options: [...CONSENTS],
    action,
    createdAt: call.started_at,
    expiresAt: call.deadline_at,
  };
}
