import type { Door } from "../door.ts";
import { type ErrorCode, type KernelError, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { batchPriceOf } from "../llm/batch/drivers.ts";
import { maxCostNanoUsd } from "../llm/pricing.ts";
import type { Providers, ServedModel } from "../llm/providers.ts";
import { toolDefinitions } from "../tools/definitions.ts";
import type { AgentParts } from "./parts.ts";
import type { Need, ProcessSpec, RoutingRule } from "./spec.ts";

/**
 * Which of several models a process calls. `fallback` = the first of the list that is available; `cheapest` = the one whose call
 * costs least at most. Both look only at models that have what is needed and hold the prompt with its reply.
 *
 * A model is chosen when a turn begins and kept while it can serve, because another one knows nothing of the prefix that this
 * one has cached. One that is unavailable is passed over for `LIMITS.routeAvoidMs`. The choice stands in the process's row
 * before anything is asked for, so a claim or a new life prepares the same call; and in the journal, with its reason.
 */

interface Routing {
  rule: RoutingRule;
  models: string[];
  needs: Need[];
  /** Models that were unavailable: why, and until when they are passed over (milliseconds since the epoch). */
  avoid: Record<string, { code: ErrorCode; until: number }>;
}

interface Prompt {
  tokens: number;
  hasTools: boolean;
}

/** What a process begins with. The window is one that every model has (`fallback`), or the largest (`cheapest`). */
export function routingOf(
  spec: Pick<ProcessSpec, "model" | "models" | "routing" | "needs">,
  providers: Providers,
): Result<{ model: string; contextTokens: number; routing: string | null }> {
  const { models = [spec.model ?? providers.defaultModel], routing: rule = "fallback", needs = [] } = spec;
  const windows: number[] = [];
  for (const name of models) {
    const served = providers.get(name);
    if (!served.ok) return served;
    windows.push(served.value.info.contextTokens);
  }
  const routing: Routing = { rule, models, needs, avoid: {} };
  return ok({
    model: models[0] ?? providers.defaultModel,
    contextTokens: rule === "fallback" ? Math.min(...windows) : Math.max(...windows),
    routing: spec.models === undefined ? null : JSON.stringify(routing),
  });
}

/** Before a call is prepared: chooses the turn's model, or another one when the chosen one cannot serve any more. */
export function route(parts: AgentParts, door: Door): void {
  const { process, context } = parts;
  const { routing: json, turn_step: step, turn_attempt: attempt, model } = process.get();
  if (json === null) return;
  const routing = JSON.parse(json) as Routing;
  const tools = toolDefinitions(door.offered());
  const prompt = context.assemble(tools);
  if (!prompt.ok) return;
  const able = ableModels(parts, routing, { tokens: prompt.value.estimatedTokens, hasTools: tools.length > 0 });
  const begins = step === 0 && attempt === 0;
  if (!begins && able.some(({ info }) => info.id === model)) return;
  const best = routing.rule === "fallback" ? able[0] : cheapest(parts, able, prompt.value.estimatedTokens);
  if (best !== undefined && best.info.id !== model) move(parts, routing, best.info.id);
}

/**
 * The process's model is unavailable: from now on it is passed over. False when there is no other to go to. The caller's
 * transaction; the next step chooses.
 */
export function passOver(parts: AgentParts, code: ErrorCode): boolean {
  const { process, clock } = parts;
  const { routing: json, model } = process.get();
  if (json === null) return false;
  const routing = JSON.parse(json) as Routing;
  const now = clock.now();
  if (isAvoided(routing, model, now)) return false;
  const avoid = { ...routing.avoid, [model]: { code, until: now + LIMITS.routeAvoidMs } };
  process.change({ routing: JSON.stringify({ ...routing, avoid }) });
  return routing.models.some((other) => other !== model && !isAvoided(routing, other, now));
}

/** Whether a vendor's failure is reason enough to go to another: one that may pass at once is waited for first. */
export function isUnavailable({ code, retryAfterMs = 0 }: KernelError, retries: number): boolean {
  if (code === "provider_auth" || code === "provider_balance") return true;
  if (code !== "provider_unavailable" && code !== "provider_rate_limited") return false;
  return retries > 0 || retryAfterMs > LIMITS.routePatienceMs;
}

function ableModels(parts: AgentParts, routing: Routing, prompt: Prompt): ServedModel[] {
  const now = parts.clock.now();
  const { max_output_tokens: wanted } = parts.process.get();
  return routing.models
    .filter((name) => !isAvoided(routing, name, now))
    .map((name) => parts.providers.get(name))
    .flatMap((served) => (served.ok ? [served.value] : []))
    .filter(({ info: { capabilities, contextTokens, maxOutputTokens } }) => {
      const fits = prompt.tokens + Math.min(wanted, maxOutputTokens) <= contextTokens;
      return fits && (!prompt.hasTools || capabilities.tools) && routing.needs.every((need) => capabilities[need]);
    });
}

function cheapest(parts: AgentParts, able: readonly ServedModel[], tokens: number): ServedModel | undefined {
  const { max_output_tokens: wanted, lane } = parts.process.get();
  const cost = (served: ServedModel): number => {
    const price = (lane === "economy" ? batchPriceOf(served) : null) ?? served.info.price;
    return maxCostNanoUsd(tokens, Math.min(wanted, served.info.maxOutputTokens), price);
  };
  return able.toSorted((a, b) => cost(a) - cost(b))[0];
}

function move(parts: AgentParts, routing: Routing, to: string): void {
  const { process, log, tx, clock } = parts;
  const { model: from } = process.get();
  const now = clock.now();
  const live = Object.entries(routing.avoid).filter(([, { until }]) => until > now);
  const unavailable = Object.fromEntries(live.map(([name, { code }]) => [name, code]));
  tx.run(() => {
    log.append("model.route", "kernel", { from, to, rule: routing.rule, unavailable });
    process.change({ model: to, retries: 0, routing: JSON.stringify({ ...routing, avoid: Object.fromEntries(live) }) });
  });
}

function isAvoided({ avoid }: Routing, model: string, now: number): boolean {
  return (avoid[model]?.until ?? 0) > now;
}
