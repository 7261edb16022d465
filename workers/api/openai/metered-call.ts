import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { Gateway } from "../../../kernel/llm/gate/pass.ts";
import type { Clock } from "../../../kernel/ports.ts";
import { type Billed, settlementOf } from "../../../kernel/process/model-call.ts";
import type { GrantRequest, Reservation, Settlement } from "../../../kernel/scheduler/grant.ts";

/** What keeps the money: the tenant's core. */
export interface Meter {
  openCall(owner: string, request: GrantRequest): Promise<Result<Reservation & { epoch: number }>>;
  settleCall(settlement: Settlement): Promise<Result<null>>;
}

export interface MeterPorts {
  meter: Meter;
  gateway: Gateway;
  clock: Clock;
  /** Keeps work going after the reply has left. */
  keep(work: Promise<unknown>): void;
}

/** Who calls at whose expense. */
export interface Payer {
  tenant: string;
  /** As the ledger names it: `key:<id>`. */
  owner: string;
}

/** A call that was made: how it ended, what it cost, and the tenant's purges of cached replies before it. */
export interface Made<Outcome> {
  outcome: Outcome;
  costNanoUsd: number;
  epoch: number;
}

/** How a call is to be made. */
export interface Leave {
  maxOutputTokens: number;
  /** See `ChatHooks.careful`. */
  careful: boolean;
}

/**
 * One vendor call for a key: it passes the account's gate, then money is reserved, then it is made, and settled once. Whatever
 * hides the outcome (this isolate dies, the core does not answer) leaves an open call, which the core settles at its upper
 * bound. Fails when the call was not made: the account has no room for it, or a budget is spent.
 */
export async function meteredCall<Outcome extends Billed>(
  ports: MeterPorts,
  payer: Payer,
  grant: GrantRequest,
  signal: AbortSignal,
  call: (leave: Leave) => Promise<Outcome>,
): Promise<Result<Made<Outcome>>> {
  const wish = { tenant: payer.tenant, model: grant.model, tokens: grant.rateTokens };
  const entering = ports.gateway.enter(wish, LIMITS.frontGateMs);
  ports.keep(entering);
  const pass = await entering;
  if (!pass.ok) return pass;
  let outcome: Outcome | null = null;
  try {
    if (signal.aborted) return LEFT;
    const reservation = await ports.meter.openCall(payer.owner, grant);
    if (!reservation.ok) return reservation;
    const { maxOutputTokens, reservedNanoUsd, epoch } = reservation.value;
    outcome = await call({ maxOutputTokens, careful: pass.value.careful });
    const settlement = settlementOf(outcome, { price: grant.price, reservedNanoUsd }, ports.clock.now());
    ports.keep(settled(ports.meter, { callId: grant.callId, ...settlement }));
    return ok({ outcome, costNanoUsd: settlement.costNanoUsd, epoch });
  } finally {
    ports.keep(pass.value.end(outcome));
  }
}

const LEFT = err("cancelled", "The client left before the call was made.");

/** A core that does not answer hears it again; one that never does settles the call by itself. */
async function settled(meter: Meter, settlement: Settlement): Promise<void> {
  for (let attempt = 1; attempt <= LIMITS.deliverTries; attempt++) {
    if ((await meter.settleCall(settlement)).ok) return;
    await new Promise((resolve) => setTimeout(resolve, LIMITS.backoffBaseMs * 2 ** attempt));
  }
}
