import { setTimeout as sleep } from "node:timers/promises";
import type { AgentCalls } from "../../durable-objects/agent/rpc.ts";
import { variablesOf } from "../../durable-objects/env.ts";
import { GatePasses } from "../../durable-objects/gate-passes.ts";
import { systemClock, systemFetch } from "../../durable-objects/ports.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import { err, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import type { ClaimedCall } from "../../kernel/process/batch-calls.ts";
import type { Env } from "../env.ts";
import { answer } from "../objects.ts";
import { type Delivery, putBack, putOff } from "./delivery.ts";
import { Permits } from "./permits.ts";

type Claim = Delivery & ClaimedCall;

/** The agent's refusals that no other delivery of the message would change: it is done with. */
const FINAL: ReadonlySet<string> = new Set(["conflict", "not_found"]);

/**
 * One consumer's working time: pass the vendor's gate, claim, call, deliver. It claims nothing in its last minutes, and the calls that it made end
 * before its own time does.
 *
 * Agents judge: a refused claim ends the message, an outcome that nobody waits for is taken and touches nothing. An agent
 * that does not answer gets the message again later.
 */
export class CallShift {
  readonly #env: Env;
  readonly #begun = systemClock.now();
  readonly #passes: GatePasses;
  readonly #headerWaits = new Permits(LIMITS.consumerHeaderWaits);

  constructor(env: Env) {
    this.#env = env;
    this.#passes = new GatePasses(env, "batch");
  }

  /** Makes one call for all of `group`, which ask for the same. A vendor that wants none gets none: the group comes again. */
  async make(group: readonly Delivery[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const pass = await this.#passes.enter(first.call, LIMITS.consumerGateMs);
    if (!pass.ok) {
      for (const { message } of group) putOff(message, pass.error.retryAfterMs ?? LIMITS.gateAskMs);
      return;
    }
    let outcome: ChatOutcome | null = null;
    try {
      const claims = await this.#claims(group);
      const [payer] = claims;
      if (payer === undefined) return;
      outcome = await this.#whileRenewed(claims, () => this.#call(payer));
      await this.#deliverAll(claims, outcome, payer);
    } catch (cause) {
      for (const { message, call } of group) putBack(message, "queue.call-broke", { call, message: String(cause) });
    } finally {
      await pass.value.end(outcome);
    }
  }

  async #deliverAll(claims: readonly Claim[], outcome: ChatOutcome, payer: Claim): Promise<void> {
    await Promise.all(claims.map((claim) => this.#deliver(claim, outcome, payer.call.callId)));
  }

  async #claims(group: readonly Delivery[]): Promise<Claim[]> {
    if (systemClock.now() - this.#begun > LIMITS.consumerClaimMs) {
      for (const { message } of group) message.retry();
      return [];
    }
    const claims = await Promise.all(group.map((delivery) => this.#claim(delivery)));
    return claims.filter((claim) => claim !== null);
  }

  async #claim(delivery: Delivery): Promise<Claim | null> {
    const { message, call } = delivery;
    const claimed = await reached(this.#agent(delivery).claimCall(call, message.attempts));
    if (claimed.ok) return { ...delivery, ...claimed.value };
    if (FINAL.has(claimed.error.code)) message.ack();
    else putBack(message, "queue.claim-failed", { call, ...claimed.error });
    return null;
  }

  /** Waits for its turn after the claim and not before it, because most doubled messages end with their claim. */
  async #call(claim: Claim): Promise<ChatOutcome> {
    const claimedAt = systemClock.now();
    const leave = await this.#headerWaits.take();
    try {
      return await this.#chat({ ...claim, deadlineMs: claimedAt + claim.deadlineMs - systemClock.now() }, leave);
    } finally {
      leave();
    }
  }

  /** `leave` is called when the vendor's headers are there: from then on the stream counts as no connection. */
  async #chat({ call, request, deadlineMs, careful }: Claim, leave: () => void): Promise<ChatOutcome> {
    const providers = makeProviders(variablesOf(this.#env), (input, init) => systemFetch(input, init).finally(leave));
    const served = providers.get(call.model);
    if (!served.ok) return { ok: false, error: served.error, retryable: false, billed: "none" };
    const left = this.#begun + LIMITS.consumerMs - systemClock.now();
    return withDeadline(Math.min(deadlineMs, left), new AbortController().signal, (signal) =>
      served.value.provider.chat(request, { signal, careful }),
    );
  }

  /** An agent that does not hear of its call any more takes it for lost. */
  async #whileRenewed<T>(claims: readonly Claim[], work: () => Promise<T>): Promise<T> {
    const renew = () => {
      for (const claim of claims) void reached(this.#agent(claim).renewCall(claim.call.callId, claim.call.attempt));
    };
    const beat = setInterval(renew, LIMITS.claimBeatMs);
    try {
      return await work();
    } finally {
      clearInterval(beat);
    }
  }

  /** The first claim of a group pays; the others share its outcome. */
  async #deliver(claim: Claim, outcome: ChatOutcome, payer: string): Promise<void> {
    const { call, message } = claim;
    const joinedTo = call.callId === payer ? undefined : payer;
    for (let attempt = 1; ; attempt++) {
      const taken = await reached(this.#agent(claim).deliverCall(call.callId, call.attempt, outcome, joinedTo));
      if (taken.ok || FINAL.has(taken.error.code)) return message.ack();
      if (attempt === LIMITS.deliverTries) return putBack(message, "queue.delivery-failed", { call, ...taken.error });
      await sleep(LIMITS.backoffBaseMs * 2 ** attempt);
    }
  }

  #agent({ call }: Delivery): AgentCalls {
    // The platform's stub type cannot express `unknown` inside results; the interface is what the class implements.
    return this.#env.AGENTS.getByName(`${call.tenant}/${call.agentId}`) as unknown as AgentCalls;
  }
}

/** An agent's answer within the deadline; a bug in its object is `internal`, so that the rest of the batch goes on. */
async function reached<T>(call: Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await answer(call);
  } catch (cause) {
    return err("internal", String(cause).slice(0, LIMITS.modelErrorChars));
  }
}
