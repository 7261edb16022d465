import { systemHash } from "../../durable-objects/ports.ts";
import { isAgentIdOf } from "../../kernel/id.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { type CallMessage, callMessage } from "../../kernel/process/call-message.ts";

/** One message of the calls queue as it was delivered, with what it says. */
export interface Delivery {
  message: Message;
  call: CallMessage;
}

/**
 * Null for what this version does not know: written by a newer one (a rollback), or by hand. The agent's id is checked,
 * because calling an object that never was creates its storage.
 */
export function deliveryOf(message: Message): Delivery | null {
  const parsed = callMessage.safeParse(message.body);
  if (!parsed.success || !isAgentIdOf(parsed.data.tenant, parsed.data.agentId, systemHash)) return null;
  return { message, call: parsed.data };
}

/** Puts a message back, with a delay that grows from delivery to delivery, and says why in the log. */
export function putBack(message: Message, event: string, facts: object = {}): void {
  const { id, attempts } = message;
  console.error(JSON.stringify({ level: "error", event, id, attempts, ...facts }));
  const delayMs = Math.min(LIMITS.redeliverBaseMs * 2 ** (attempts - 1), LIMITS.redeliverMaxMs);
  message.retry({ delaySeconds: Math.ceil(delayMs / 1_000) });
}

/**
 * Puts a message back because its vendor wants no calls now. That is no failure: before the queue would give it up, it is let go,
 * and its agent sends the call again by itself.
 */
export function putOff(message: Message, delayMs: number): void {
  if (message.attempts > LIMITS.consumerGatePutBacks) message.ack();
  else message.retry({ delaySeconds: Math.ceil(delayMs / 1_000) });
}
