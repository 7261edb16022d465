import type { AgentRpc } from "../durable-objects/agent/rpc.ts";
import type { BatchJobRpc } from "../durable-objects/batch-job/rpc.ts";
import type { CoreRpc } from "../durable-objects/core/rpc.ts";
import { withinMs } from "../kernel/deadline.ts";
import { err, type Result } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Env } from "./env.ts";

/**
 * The way from the stateless shell to the objects. Every call goes through `answer`, which gives it a deadline and turns
 * the platform's "busy" and "was reset" into `unavailable`; a bug in an object stays an exception.
 */

/** An agent's object: its RPC, and `fetch` for the event socket. */
export interface AgentObject extends AgentRpc {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** A way to an agent's object that outlives the object: a stub stays broken once its object has died, so waits ask anew. */
export type ReachAgent = () => AgentObject;

/** Only for ids that `isAgentIdOf` has accepted: calling an object that never was creates its storage. */
export function agentObject(env: Env, tenant: string, agentId: string): AgentObject {
  // The platform's stub type cannot express `unknown` inside results; the interface is what the class implements.
  return env.AGENTS.getByName(`${tenant}/${agentId}`) as unknown as AgentObject;
}

/** Only for ids that `isBatchIdOf` has accepted. */
export function batchObject(env: Env, tenant: string, batchId: string): BatchJobRpc {
  return env.BATCHES.getByName(`${tenant}/${batchId}`) as unknown as BatchJobRpc;
}

export function coreObject(env: Env, tenant: string): CoreRpc {
  return env.CORES.getByName(tenant) as unknown as CoreRpc;
}

const BUSY = err("unavailable", "The object that owns this is busy or restarting; try again.", {
  retryAfterMs: LIMITS.retryAfterMs,
});
const LATE = err(
  "unavailable",
  "The object that owns this did not answer in time. The request may still take effect: repeat it with the same Idempotency-Key, or look before you repeat it.",
  { retryAfterMs: LIMITS.retryAfterMs },
);

/** Waits for `call`, at most `deadlineMs`. */
export async function answer<T>(call: Promise<Result<T>>, deadlineMs: number = LIMITS.rpcMs): Promise<Result<T>> {
  try {
    return (await withinMs(deadlineMs, call)) ?? LATE;
  } catch (error) {
    if (isBusy(error)) return BUSY;
    throw error;
  }
}

/** The platform marks its own failures with properties, because error classes do not survive RPC. */
function isBusy(error: unknown): boolean {
  const marks = error as { retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown } | null;
  return marks?.retryable === true || marks?.overloaded === true || marks?.durableObjectReset === true;
}
