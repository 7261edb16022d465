import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { variablesOf } from "../../../durable-objects/env.ts";
import { gateOf } from "../../../durable-objects/stubs.ts";
import { ok, type Result } from "../../../kernel/errors.ts";
import { ACCOUNT_NAMES, isAccount } from "../../../kernel/llm/gate/account-limits.ts";
import type { GateView } from "../../../kernel/llm/gate/lease.ts";
import { makeProviders, type Providers } from "../../../kernel/llm/providers.ts";
import type { Env } from "../../env.ts";
import { answer } from "../../objects.ts";
import type { AppEnv } from "../context.ts";
import { problem } from "../problem.ts";
import { needs } from "../roles.ts";
import { failures, json, listOf } from "../route.ts";

/** The vendors that this kernel knows, and how the operator's account with each of them stands. */

const perMinute = z.int().nullable().meta({ description: "Null = the operator set no limit." });

const gate = z
  .object({
    state: z.enum(["closed", "open", "half-open"]).meta({
      description:
        "The breaker. closed: calls are made; open: none is, until `pausedMs` is over; half-open: one is tried.",
    }),
    pausedMs: z.int().meta({ description: "So long no call is made, in milliseconds." }),
    limits: z.object({ concurrency: z.int(), requestsPerMinute: perMinute, tokensPerMinute: perMinute }),
    inUse: z.int().meta({ description: "Calls under way, of all tenants, as their holders last said." }),
    waiting: z.int().meta({ description: "Calls that wait for room, as their holders last said." }),
    lastError: z
      .object({ code: z.string(), at: z.string() })
      .nullable()
      .meta({ description: "The last failure of the account, whether it still matters or not." }),
  })
  .meta({ id: "ProviderGate" });

const provider = z
  .object({
    name: z.string(),
    configured: z.boolean().meta({ description: "Whether the operator gave a key or an address." }),
    models: z.array(z.string()),
    isDefault: z.boolean(),
    gate: gate
      .nullable()
      .meta({ description: "Null for a provider that is not configured, and for the embedded one." }),
  })
  .meta({ id: "Provider" });

const list = createRoute({
  method: "get",
  path: "/v1/providers",
  security: needs("viewer"),
  tags: ["models"],
  summary: "The providers, their models, and how the account with each stands",
  responses: { 200: json(listOf(provider).meta({ id: "ProviderList" }), "All of them."), ...failures },
});

export function providers(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const views = viewsOf(makeProviders(variablesOf(c.env), noNetwork));
    const items: z.output<typeof provider>[] = [];
    for (const view of views) {
      const account = await gateView(c.env, view);
      if (!account.ok) return problem(c, account.error);
      items.push({ ...view, gate: account.value });
    }
    return c.json({ items, nextCursor: null }, 200);
  });
}

function noNetwork(): Promise<Response> {
  return Promise.reject(new Error("listing providers takes no network"));
}

/** An account that is not configured has no gate, and none is made by asking. */
async function gateView(env: Env, { name, configured }: View): Promise<Result<GateView | null>> {
  return configured && isAccount(name) ? answer(gateOf(env, name).view()) : ok(null);
}

type View = Omit<z.output<typeof provider>, "gate">;

function viewsOf(served: Providers): View[] {
  const models = Map.groupBy(
    served.list().map(({ id }) => id),
    ownerOf,
  );
  return [...new Set([...ACCOUNT_NAMES, ...models.keys()])].map((name) => ({
    name,
    configured: models.has(name),
    models: models.get(name) ?? [],
    isDefault: ownerOf(served.defaultModel) === name,
  }));
}

function ownerOf(modelId: string): string {
  return modelId.slice(0, modelId.indexOf("/"));
}
