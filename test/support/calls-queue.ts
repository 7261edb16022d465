/// <reference types="@cloudflare/vitest-plugin/types" />
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { batchInputOf } from "../../kernel/process/call-input.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import type { PendingCall } from "../../kernel/process/pending.ts";
import type { Env } from "../../workers/env.ts";
import worker from "../../workers/index.ts";
import { eventually, type TestTenant } from "./tenant.ts";

/**
 * The calls queue as stories play it. No consumer is bound to the real one in these tests (vitest.config.ts), so a message
 * comes when, as often and in the order that the story says, or never; what was sent is read off the agents' tables.
 */

export const CALLS = "agent-os-kernel-calls";

/** One delivery: what the message says, and how often it was delivered. */
export interface TestDelivery {
  call: CallMessage;
  delivery?: number;
}

/** The call of the batch lane that the agent waits for, or null. */
export async function awayCall(tenant: TestTenant, agentId: string): Promise<PendingCall | null> {
  return runInDurableObject(tenant.stub(agentId), (_object, { storage }) => {
    const [row] = storage.sql.exec("SELECT * FROM pending WHERE state IN ('sent', 'claimed')").toArray();
    return (row as PendingCall | undefined) ?? null;
  });
}

/** The newest message that the agent has sent for the call that it waits for. */
export async function sentMessage(tenant: TestTenant, agentId: string): Promise<CallMessage | null> {
  const call = await awayCall(tenant, agentId);
  if (call === null) return null;
  const { model } = await tenant.block(agentId);
  const { hash, repeatable } = batchInputOf(call);
  return { tenant: tenant.name, agentId, callId: call.call_id, attempt: call.attempt, model, hash, repeatable };
}

/** Gives one batch to the consumer of `queue`. Answers the ids, which are positions in `deliveries`. */
export async function deliver(deliveries: readonly TestDelivery[], queue = CALLS) {
  const messages = deliveries.map(({ call, delivery = 1 }, position) => ({
    id: String(position),
    timestamp: new Date(0),
    attempts: delivery,
    body: call,
  }));
  const batch = createMessageBatch(queue, messages);
  await worker.queue(batch, env as unknown as Env);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  return { acked: explicitAcks.map(Number), retried: retryMessages.map(({ msgId }) => Number(msgId)) };
}

/** The message that the agent sends next. */
export async function nextMessage(tenant: TestTenant, agentId: string): Promise<CallMessage> {
  const message = await eventually(
    () => sentMessage(tenant, agentId),
    (sent) => sent !== null,
  );
  if (message === null) throw new Error("unreachable: it was awaited");
  return message;
}

/** Lets the time pass at which the agent has to do something about its call: its alarm comes. */
export async function overdue(tenant: TestTenant, agentId: string, change = ""): Promise<void> {
  const stub = tenant.stub(agentId);
  await runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec(`UPDATE pending SET deadline_at = 1${change}`);
    storage.sql.exec("UPDATE process SET retry_at = 1");
  });
  await evictDurableObject(stub);
  await runDurableObjectAlarm(stub);
}

/** Delivers whatever the agents send, batch by batch, until `done`. `play` makes of the messages what comes of them. */
export async function pump(
  tenant: TestTenant,
  agentIds: readonly string[],
  play: (messages: CallMessage[]) => TestDelivery[],
  done: () => Promise<boolean>,
): Promise<void> {
  const round = async () => {
    const sent = await Promise.all(agentIds.map((agentId) => sentMessage(tenant, agentId)));
    const messages = sent.filter((message) => message !== null);
    if (messages.length > 0) await deliver(play(messages));
    return done();
  };
  await eventually(round, (ended) => ended);
}
