import { variablesOf } from "../../../durable-objects/env.ts";
import { systemFetch, systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { isAgentIdOf } from "../../../kernel/id.ts";
import type { ModelInfo } from "../../../kernel/llm/provider.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import { agentObject, answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { withinScopes } from "../scopes.ts";
import { AgentModel } from "./agent-model.ts";
import { CachedModel, type CachePorts } from "./cached-model.ts";
import type { Answerer, Conversation } from "./conversation.ts";
import { kvReplies } from "./kv-replies.ts";
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
  const payer = payerOf(c);
  const ports = meterOf(c);
  const model = new MeteredModel(ports, { callId, ...payer, served: served.value, conversation });
  if (!mayRepeat(conversation, served.value.info)) return ok(model);
  const { id, price } = served.value.info;
  const hit = { callId, provider: served.value.provider.name, model: id, price };
  const core = coreObject(c.env, payer.tenant);
  const enter: CachePorts["enter"] = (level, { costNanoUsd, epoch }) =>
    answer(core.cacheHit(payer.owner, { ...hit, level, savedNanoUsd: costNanoUsd, epoch }));
  const { keep } = ports;
  return ok(
    new CachedModel({ cache: c.var.replies, shared: kvReplies(c.env.CACHE), hash: systemHash, enter, keep }, model),
  );
}

/** Whether the same request may get the same reply again. */
function mayRepeat({ cache, temperature }: Conversation, { deterministic }: ModelInfo): boolean {
  return cache ?? (deterministic === true || temperature === 0);
}
