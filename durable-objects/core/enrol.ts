import { ok, type Result } from "../../kernel/errors.ts";
import { type Birth, newBirth, newborn } from "../../kernel/process/birth.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { routingOf } from "../../kernel/process/routing.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { reasonOf, refuseBirth, warnOfCrowd } from "../../kernel/scheduler/births.ts";
import { inherited } from "../../kernel/scheduler/standards.ts";
import type { Actor } from "../agent/rpc.ts";
import { systemClock, systemHash, systemRandom } from "../ports.ts";
import type { CoreRuntime } from "./core-runtime.ts";

export interface SpawnOptions {
  actor: Actor;
  idempotencyKey?: string | undefined;
}

/** A process that is in the table. `birth` is null when it was entered before, by the same `Idempotency-Key`. */
export interface Enrolled {
  block: ControlBlock;
  birth: Birth | null;
}

/** Enters a process that may be born, with its budgets and its entry in the chain. Call it inside a transaction. */
export function enrol(core: CoreRuntime, tenant: string, spec: ProcessSpec, options: SpawnOptions): Result<Enrolled> {
  const { scheduler, idempotency, log, providers } = core;
  const { actor, idempotencyKey: key } = options;
  const body = JSON.stringify(spec);
  const before = key === undefined ? null : idempotency.recall<ControlBlock>(key, body);
  if (before !== null) return before.ok ? ok({ block: before.value, birth: null }) : before;
  const routed = routingOf(spec, providers);
  if (!routed.ok) return routed;
  const asked = inherited(scheduler, spec);
  const refused = refuseBirth(scheduler, asked);
  if (refused !== null) {
    const facts = { parentId: spec.parentId ?? null, code: refused.code, ...reasonOf(refused) };
    log.append("agent.refused", actor, facts);
    return { ok: false, error: refused };
  }
  const ports = { clock: systemClock, random: systemRandom, hash: systemHash };
  const birth = newBirth({ tenant, spec: asked, ...routed.value, actor }, ports);
  const block = newborn(birth);
  scheduler.processes.enter(block, birth, scheduler.queue.floor(), scheduler.counters.next("changed"));
  scheduler.budgets.set(birth.id, spec.quotas ?? {});
  warnOfCrowd(scheduler, log, birth.id);
  if (key !== undefined) idempotency.remember(key, body, block);
  log.append("agent.spawn", actor, { agentId: birth.id, name: spec.name });
  return ok({ block, birth });
}
