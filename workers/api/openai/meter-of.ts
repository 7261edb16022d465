import { systemClock } from "../../../durable-objects/ports.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import type { MeterPorts, Payer } from "./metered-call.ts";

/** Who pays for what this request asks for. */
export function payerOf(c: AppContext): Payer {
  return { tenant: c.var.principal.tenant, owner: actorOf(c.var.principal) };
}

/** The payer's purse, and the way through the gates of vendor accounts. */
export function meterOf(c: AppContext): MeterPorts {
  const core = coreObject(c.env, c.var.principal.tenant);
  return {
    meter: {
      openCall: (owner, request) => answer(core.openCall(owner, request)),
      settleCall: (settlement) => answer(core.settleCall(settlement)),
    },
    gateway: c.var.gateway,
    clock: systemClock,
    keep: (work) => c.executionCtx.waitUntil(work),
  };
}
