import type { Door } from "../door.ts";
import { ERRORS, type ErrorCode, unreachable } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ChatHooks } from "../llm/provider.ts";
import type { GrantReply } from "../scheduler/grant.ts";
import { sendCall } from "./batch-step.ts";
import { PartialKeeper } from "./cut-call.ts";
import { hearCore } from "./meters.ts";
import { closeCall, type Granted, messageDeadline, openCall } from "./model-call.ts";
import type { Next } from "./next.ts";
import type { AgentParts } from "./parts.ts";
import { granted, hasWork, lastFailed, type Prepared, prepare } from "./prepare.ts";
import { reportOf } from "./report.ts";
import { isUnavailable, passOver, route } from "./routing.ts";
import { endTurn, failed } from "./turn.ts";

/**
 * One model call of a turn: page in what the newest input needs, assemble the prompt, ask the core for money and a slot,
 * call, record. In the interactive lane one `await` and nothing else lies between the transaction before the call and the one
 * after it; in the batch lane the step ends with a message in the calls queue, and the outcome comes from outside.
 */

export async function modelStep(parts: AgentParts, door: Door, abort: AbortSignal): Promise<Next> {
  if (parts.process.get().turn_step === 0) await pageIn(parts);
  if (!hasWork(parts)) return "again";
  route(parts, door);
  const prepared = prepare(parts, door);
  if ("code" in prepared) {
    parts.tx.run(() => endTurn(parts, failed(prepared)));
    return "again";
  }
  const { report } = reportOf(parts);
  const reply = await parts.core.settleAndGrant(report, prepared.grant);
  if (reply !== null) hearCore(parts, report.seq, reply.standing);
  if (reply?.kind === "granted") {
    return prepared.grant.lane === "interactive"
      ? await call(parts, prepared, reply, abort)
      : await sendCall(parts, prepared, reply);
  }
  return parts.tx.run(() => {
    if (goesElsewhere(parts, reply)) return "again";
    notGranted(parts, reply);
    return "rest";
  });
}

/** The vendor takes no calls now, and the process has another model. */
function goesElsewhere(parts: AgentParts, reply: Exclude<GrantReply, Granted> | null): boolean {
  if (reply?.kind !== "queued" || reply.vendor === undefined || !hasWork(parts)) return false;
  const { code } = reply.vendor;
  const { wait_reason: waits } = parts.process.get();
  return (
    isUnavailable({ code, message: "" }, code === "provider_unavailable" || waits === "llm" ? 1 : 0) &&
    passOver(parts, code)
  );
}

/** Demand paging: what the turn's message needs is searched over all tiers and faulted in. */
async function pageIn(parts: AgentParts): Promise<void> {
  const row = parts.process.get();
  const message = row.turn_message_id === null ? null : parts.mailbox.get(row.turn_message_id);
  if (message === null) return;
  const budget = { tokens: Math.floor(row.window_tokens * LIMITS.demandPagingShare), ms: LIMITS.demandPagingMs };
  await parts.context.pageIn(message.content, budget);
}

function notGranted(parts: AgentParts, reply: Exclude<GrantReply, Granted> | null): void {
  const retryAt = parts.clock.now() + (reply === null ? LIMITS.backoffBaseMs : LIMITS.requeueMs);
  if (!hasWork(parts)) return;
  if (reply === null) return parts.process.transition({ to: "ready" }, { retry_at: retryAt });
  switch (reply.kind) {
    case "queued":
      if (reply.vendor !== undefined) return waitForVendor(parts, reply.vendor, retryAt);
      return parts.process.transition({ to: "ready" }, { retry_at: retryAt });
    case "denied": {
      const { subject, metric, limit, used, reserved } = reply;
      parts.log.append("quota.spent", "kernel", { subject, metric, limit, used, reserved });
      return parts.process.transition({ to: "waiting", reason: "quota" });
    }
    case "gone":
    case "noted":
      return parts.process.transition({ to: "terminated", exit: { code: 137, reason: "killed" }, result: null });
    default:
      return unreachable(reply);
  }
}

/** The whole account waits for its vendor, until the message's deadline; the core says when it is there again. */
function waitForVendor(parts: AgentParts, { provider, code }: { provider: string; code: ErrorCode }, retryAt: number) {
  const message = `${provider} takes no calls now: ${ERRORS[code].title}. The call is made when it does again.`;
  if (parts.clock.now() >= messageDeadline(parts)) return endTurn(parts, failed({ code, message }));
  const { state, last_error: before } = parts.process.get();
  if (state !== "waiting" || before !== message) parts.log.append("provider.wait", "kernel", { provider, code });
  parts.process.transition({ to: "waiting", reason: "llm" }, { retry_at: retryAt, last_error: message });
}

async function call(parts: AgentParts, prepared: Prepared, grant: Granted, abort: AbortSignal): Promise<Next> {
  const { reservedNanoUsd, maxOutputTokens } = grant;
  const { callId, info, estimatedTokens } = prepared;
  const opening = {
    state: "running" as const,
    attempt: parts.process.get().turn_attempt + 1,
    deadline_at: parts.clock.now() + LIMITS.modelCallMs,
    input: { reservedNanoUsd, maxOutputTokens },
  };
  if (!openCall(parts, prepared, opening, () => parts.process.transition({ to: "running" }, { retry_at: null })))
    return "again";
  parts.live.begin(callId);
  if (prepared.request.prefill !== undefined) parts.live.delta(callId, prepared.request.prefill.content);
  const outcome = await prepared.provider.chat(granted(prepared.request, maxOutputTokens), {
    signal: abort,
    careful: lastFailed(parts),
    onDelta: (text) => parts.live.delta(callId, text),
    ...keeping(parts, prepared),
  });
  parts.live.end(callId);
  const open = { callId, price: info.price, reservedNanoUsd, estimatedTokens, tools: prepared.request.tools };
  parts.tx.run(() => closeCall(parts, open, outcome));
  return "again";
}

/** Where the vendor can go on from it, what comes of the reply is written down now and then. */
function keeping(parts: AgentParts, { callId, info }: Prepared): Pick<ChatHooks, "onPartial"> {
  if (!info.capabilities.prefill) return {};
  const keeper = new PartialKeeper(parts, callId);
  return { onPartial: (partial) => keeper.take(partial) };
}
