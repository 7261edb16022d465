import { ok, type Result } from "../../kernel/errors.ts";
import type { ProcessPatch } from "../../kernel/process/spec.ts";
import { reasonOf } from "../../kernel/scheduler/births.ts";
import { patched, refuseStandard } from "../../kernel/scheduler/standards.ts";
import type { Standing } from "../../kernel/scheduler/standing.ts";
import type { Standard } from "../../kernel/security/ceiling.ts";
import type { Actor } from "../agent/rpc.ts";
import type { CoreRuntime } from "./core-runtime.ts";

/** What the agent is told of a patch that the core accepted. */
export interface Amended {
  /** With whole grants and denials where it touches them. */
  patch: ProcessPatch;
  standing: Standing;
  /** Agents that have room in a budget now. */
  released: string[];
}

/** Changes what a process may and has, with its entry in the chain: what was, and what is. Call it inside a transaction. */
export function amend(
  { scheduler, log }: CoreRuntime,
  agentId: string,
  asked: ProcessPatch,
  actor: Actor,
): Result<Amended> {
  const { processes } = scheduler;
  const own = processes.standardOf(agentId);
  const wanted = patched(scheduler, agentId, asked);
  const isTouched = touchesStandard(asked);
  const refused = isTouched ? refuseStandard(scheduler, agentId, wanted) : null;
  if (refused !== null) {
    log.append("agent.refused", actor, { agentId, ...asked, code: refused.code, ...reasonOf(refused) });
    return { ok: false, error: refused };
  }
  const patch = { ...asked, ...touched(asked, wanted) };
  if (isTouched) processes.setStandard(agentId, wanted);
  if (patch.approvals?.tools !== undefined) processes.setAsks(agentId, patch.approvals.tools);
  scheduler.setQuotas(agentId, patch.quotas ?? {});
  const before = own === null || !isTouched ? {} : { before: touched(asked, own) };
  log.append("agent.patch", actor, { agentId, ...patch, ...before });
  return ok({ patch, released: scheduler.releaseQuotaWaiters(), standing: scheduler.standing(agentId) });
}

function touchesStandard({ permissionLevel, grants, denials }: ProcessPatch): boolean {
  return permissionLevel !== undefined || grants !== undefined || denials !== undefined;
}

/** Of `standard`, what the patch speaks of. */
function touched(patch: ProcessPatch, { level, grants, denials }: Standard): ProcessPatch {
  return {
    ...(patch.permissionLevel === undefined ? {} : { permissionLevel: level }),
    ...(patch.grants === undefined ? {} : { grants }),
    ...(patch.denials === undefined ? {} : { denials }),
  };
}
