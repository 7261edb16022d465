import { err, type KernelError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Log } from "../log/log.ts";
import { passesWarning } from "../process/meters.ts";
import type { ProcessSpec, QuotaName } from "../process/spec.ts";
import { TENANT } from "./budgets.ts";
import type { Scheduler } from "./scheduler.ts";
import { refuseChild } from "./standards.ts";
import { meterOf } from "./standing.ts";

/**
 * Who may be born below whom, and as what: the parent lives, the tree and its quotas have room, and no child is above its
 * parent. Decided in the transaction that enters the process.
 */

/** Why the process may not be born, or null. `spec` as `inherited` answers it (standards.ts). */
export function refuseBirth(scheduler: Scheduler, spec: ProcessSpec): KernelError | null {
  return refuseParent(scheduler, spec) ?? refuseCrowd(scheduler, spec.parentId ?? null);
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
  return refuseChild(scheduler, spec, parent.id);
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
