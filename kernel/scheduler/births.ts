import { err, type KernelError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Log } from "../log/log.ts";
import { passesWarning } from "../process/meters.ts";
import type { PermissionLevel, ProcessSpec, QuotaName } from "../process/spec.ts";
import { aboveParent, isAbove, lowerOf, type Standard } from "../security/ceiling.ts";
import { TENANT } from "./budgets.ts";
import type { Scheduler } from "./scheduler.ts";
import { meterOf } from "./standing.ts";

/**
 * Who may be born below whom, and as what: the parent lives, the tree and its quotas have room, and no child is above its
 * parent. Decided in the transaction that enters the process, on the core's own word about levels: what processes report of
 * themselves may be a moment old.
 */

const DEFAULT_LEVEL: PermissionLevel = "STANDARD";

/**
 * The spec with the level that the process gets: a child that names none is never above its parent, and asks a person before
 * whatever its parent asks for.
 */
export function withLevel({ processes }: Scheduler, spec: ProcessSpec): ProcessSpec {
  const parent = spec.parentId === undefined ? null : processes.standardOf(spec.parentId);
  const level = parent === null ? DEFAULT_LEVEL : lowerOf(DEFAULT_LEVEL, parent.level);
  const asked = spec.parentId === undefined ? [] : processes.asksOf(spec.parentId);
  const tools = [...new Set([...asked, ...(spec.approvals?.tools ?? [])])];
  return {
    ...spec,
    permissionLevel: spec.permissionLevel ?? level,
    ...(tools.length === 0 ? {} : { approvals: { tools } }),
  };
}

/** Why the process may not be born, or null. `spec` as `withLevel` answers it. */
export function refuseBirth(scheduler: Scheduler, spec: ProcessSpec): KernelError | null {
  return refuseParent(scheduler, spec) ?? refuseCrowd(scheduler, spec.parentId ?? null);
}

/** Why the process may not get the level, or null. */
export function refuseLevel(scheduler: Scheduler, agentId: string, level: PermissionLevel): KernelError | null {
  const { processes } = scheduler;
  const [parentId] = processes.ancestors(agentId);
  const [own, parent] = [processes.standardOf(agentId), parentId === undefined ? null : processes.standardOf(parentId)];
  const above = own === null || parent === null ? [] : aboveParent({ level, grants: {} }, parent);
  if (above.length > 0) return err("forbidden", "A child is never above its parent.", { issues: above }).error;
  const child = processes.children(agentId).find((id) => isAbove(standard(scheduler, id).level, level));
  if (child === undefined) return null;
  const { level: childs } = standard(scheduler, child);
  return err(
    "conflict",
    `Its child ${child} is ${childs}, and a child is never above its parent: lower or end it first.`,
  ).error;
}

function refuseParent(scheduler: Scheduler, spec: ProcessSpec): KernelError | null {
  const { processes } = scheduler;
  if (spec.parentId === undefined) return null;
  const parent = processes.get(spec.parentId);
  if (parent === null) {
    const issues = [{ path: "$.parentId", message: "no such process" }];
    return err("invalid_input", "The parent is no process of this tenant.", { issues }).error;
  }
  if (parent.state === "terminated")
    return err("process_terminated", "The parent has terminated; nothing is spawned below it.").error;
  if (processes.ancestors(parent.id).length + 1 >= LIMITS.depthMax)
    return err("invalid_input", `A process tree is at most ${LIMITS.depthMax} deep.`).error;
  const asked = { level: spec.permissionLevel ?? DEFAULT_LEVEL, grants: spec.grants ?? {} };
  const issues = aboveParent(asked, standard(scheduler, parent.id));
  return issues.length === 0 ? null : err("forbidden", "A child is never above its parent.", { issues }).error;
}

/** The quotas `children` and `depth`: of the parent, of all above it, and of the tenant. */
function refuseCrowd({ processes, budgets }: Scheduler, parentId: string | null): KernelError | null {
  const line = parentId === null ? [] : [parentId, ...processes.ancestors(parentId)];
  for (const [above, subject] of [...line, TENANT].entries()) {
    const isTenant = subject === TENANT;
    for (const { metric, limit } of budgets.meters(subject)) {
      const levels = metric === "depth" ? above + 1 : null;
      const direct = metric === "children" && (isTenant || above === 0);
      const wanted = direct ? processes.countChildren(isTenant ? null : subject) + 1 : levels;
      if (wanted !== null && wanted > limit) return crowded(subject, metric, wanted, limit);
    }
  }
  return null;
}

function crowded(subject: string, metric: QuotaName, wanted: number, limit: number): KernelError {
  const whose = subject === TENANT ? "the tenant" : subject;
  const message = `With it, ${metric} of ${whose} would be ${wanted}; the quota is ${limit}: end processes, or have quotas.${metric} raised.`;
  return err("quota_exceeded", message).error;
}

function standard({ processes }: Scheduler, agentId: string): Standard {
  return processes.standardOf(agentId) ?? { level: "RESTRICTED", grants: {} };
}

/** The refusal as the audit trail keeps it. */
export function reasonOf({ message, issues = [] }: KernelError): { reason: string } {
  return { reason: [message, ...issues.map((issue) => `${issue.path}: ${issue.message}`)].join(" ") };
}

/** Enters that a process which was just born took `children` or `depth` of somebody past the mark that is worth a warning. */
export function warnOfCrowd(scheduler: Scheduler, log: Log, agentId: string): void {
  const [parent] = scheduler.processes.ancestors(agentId);
  for (const subject of [...(parent === undefined ? [] : [parent]), TENANT]) {
    for (const row of scheduler.budgets.meters(subject).filter(({ metric }) => metric === "children")) {
      const { metric, limit, used, per } = { ...row, ...meterOf(scheduler, row) };
      if (passesWarning(used - 1, used, limit))
        log.append("quota.warning", "kernel", { subject, metric, limit, used, per });
    }
  }
}
