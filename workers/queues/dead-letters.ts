import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { agentObject, answer, coreObject } from "../objects.ts";
import { type Delivery, deliveryOf, putBack } from "./delivery.ts";

/**
 * The consumer of the dead-letter queue: what the calls queue gave up is listed with the tenant's core, where people find it
 * and send it again (`GET /v1/dead-letters`). A message that no version here understands has no tenant to be listed with: it
 * goes to the log, whole.
 */
export async function keepDeadLetters(batch: MessageBatch, env: Env): Promise<void> {
  for (const message of batch.messages) {
    const delivery = deliveryOf(message);
    if (delivery === null) dropUnknown(message);
    else await keep(delivery, env);
  }
}

function dropUnknown(message: Message): void {
  const { id, body } = message;
  const text = JSON.stringify(body)?.slice(0, LIMITS.eventDataBytes);
  console.error(JSON.stringify({ level: "error", event: "queue.dead-unknown-message", id, body: text }));
  message.ack();
}

async function keep({ message, call }: Delivery, env: Env): Promise<void> {
  const { tenant, agentId, callId } = call;
  const reason = await reasonOf(env, tenant, agentId);
  const letter = { callId, agentId, reason, attempts: call.attempt };
  try {
    const kept = await answer(coreObject(env, tenant).deadLetter(letter));
    if (kept.ok || kept.error.code === "not_found") message.ack();
    else putBack(message, "queue.dead-letter-failed", { call, ...kept.error });
  } catch (cause) {
    putBack(message, "queue.dead-letter-failed", { call, message: String(cause) });
  }
}

/** The queue does not say why it gave up; the agent's answer now is the best guess. */
async function reasonOf(env: Env, tenant: string, agentId: string): Promise<string> {
  try {
    const block = await answer(agentObject(env, tenant, agentId).block());
    if (block.ok) return "its consumers ended before they could answer for it; the agent answers now";
    return `the agent does not answer: ${block.error.code}: ${block.error.message}`;
  } catch (cause) {
    return `the agent's object fails: ${String(cause)}`;
  }
}
