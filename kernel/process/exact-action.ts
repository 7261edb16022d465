import { canonicalJson, jsonDepth } from "../canonical-json.ts";
import { LIMITS } from "../limits.ts";
import type { Hash } from "../ports.ts";
import type { Syscall } from "../syscall.ts";
import type { PendingCall } from "./pending.ts";

/**
 * What a person's consent is bound to: this call of this agent with this input and no other. The input counts as it will run, with
 * its defaults, in its one spelling. The id of the call belongs to one message, step and place in it, and the agent's id names
 * its tenant, so a consent fits nothing else.
 */
export interface ExactAction {
  /** The input as it will run. */
  canonical: string;
  /** Of the tool's input alone: the same action, whoever does it and when. */
  canonicalSha256: string;
  /** Of agent, call, tool and input. */
  actionSha256: string;
  /** Where it acts, if anywhere. */
  host: string | null;
}

interface ActionParts {
  readonly hash: Hash;
  readonly process: { get(): { readonly id: string } };
  readonly syscalls: Readonly<Record<string, Syscall>>;
}

/** An input that is none stands for itself: nothing runs with it. */
export function exactAction({ hash, process, syscalls }: ActionParts, call: PendingCall): ExactAction {
  const entry = syscalls[call.name];
  const parsed = entry?.input.safeParse(jsonOf(call.input));
  const canonical = parsed?.success ? canonicalJson(parsed.data) : call.input;
  const bound = canonicalJson([process.get().id, call.call_id, call.name, canonical]);
  return {
    canonical,
    canonicalSha256: hash.sha256(canonical),
    actionSha256: hash.sha256(bound),
    host: parsed?.success ? (entry?.hostOf?.(parsed.data) ?? null) : null,
  };
}

function jsonOf(text: string): unknown {
  if (jsonDepth(text) > LIMITS.argumentDepth) return undefined;
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch {
    return undefined;
  }
}
