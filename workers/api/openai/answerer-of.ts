import { variablesOf } from "../../../durable-objects/env.ts";
import { systemClock, systemFetch, systemHash, systemRandom } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { isAgentIdOf, newId } from "../../../kernel/id.ts";
import type { ModelInfo } from "../../../kernel/llm/provider.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import { agentObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { withinScopes } from "../scopes.ts";
import { AgentModel } from "./agent-model.ts";
import { cachePortsOf } from "./cache-ports-of.ts";
import { CachedModel } from "./cached-model.ts";
import type { Answerer, Conversation } from "./conversation.ts";
import { FallbackModel, type Naming } from "./fallback-model.ts";
import { meterOf, payerOf } from "./meter-of.ts";
import { MeteredModel } from "./metered-model.ts";

const AGENT = "agent/";

/** Who answers for the model that the client named: an agent of its tenant, or a vendor's model at the key's expense. */
export function answererOf(c: AppContext, conversation: Conversation, callId: string): Result<Answerer> {
  const { model } = conversation;
  return model.startsWith(AGENT)
    ? agentModel(c, conversation, model.slice(AGENT.length))
    : meteredModel(c, conversation, callId);
}

/**
 * The same with `others` to go to, in their order, when a vendor cannot take the call. Agents are no such others: what an agent
 * was told cannot be taken back. `naming` says who is asked.
 */
export function answererOfAny(
  c: AppContext,
  conversation: Conversation,
  others: readonly string[],
  naming: Naming,
): Result<Answerer> {
  if (others.length === 0) return answererOf(c, conversation, naming.callId);
  const models: (Naming & { answerer: Answerer })[] = [];
  for (const model of [conversation.model, ...others]) {
    if (model.startsWith(AGENT)) return ONLY_VENDORS;
    const callId = models.length === 0 ? naming.callId : newId("call", { clock: systemClock, random: systemRandom });
    const answerer = meteredModel(c, { ...conversation, model }, callId);
    if (!answerer.ok) return answerer;
    models.push({ model, callId, answerer: answerer.value });
  }
  return ok(new FallbackModel(models, naming));
}

const ONLY_VENDORS = err("invalid_input", "`models` takes models of vendors: an agent answers alone.");

function agentModel(c: AppContext, conversation: Conversation, id: string): Result<Answerer> {
  const { tenant, scopes } = c.var.principal;
  if (!withinScopes(["agents:write"], scopes)) return NO_AGENTS;
  if (!isAgentIdOf(tenant, id, systemHash)) return err("not_found", "There is no such agent.");
  return ok(new AgentModel(() => agentObject(c.env, tenant, id), actorOf(c.var.principal), conversation));
}

const NO_AGENTS = err("forbidden", "To send an agent messages this key needs the scope `agents:write` too.");

function meteredModel(c: AppContext, conversation: Conversation, callId: string): Result<Answerer> {
  const served = makeProviders(variablesOf(c.env), systemFetch).get(conversation.model);
  if (!served.ok) return served;
  const model = new MeteredModel(meterOf(c), { callId, ...payerOf(c), served: served.value, conversation });
  if (!mayRepeat(conversation, served.value.info)) return ok(model);
  const { id, price } = served.value.info;
  const call = { callId, provider: served.value.provider.name, model: id, price };
  return ok(new CachedModel(cachePortsOf(c, c.var.replies.chat, call), model, systemHash));
}

/** Whether the same request may get the same reply again. */
function mayRepeat({ cache, temperature }: Conversation, { deterministic }: ModelInfo): boolean {
  return cache ?? (deterministic === true || temperature === 0);
}
