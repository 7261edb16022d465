import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";

import { LIMITS } from "../../../kernel/limits.ts";
import { platformBill } from "../../../kernel/platform/platform-usage.ts";
import { COST_GROUPS, type CostRow } from "../../../kernel/scheduler/costs.ts";
import type { LedgerEntry } from "../../../kernel/scheduler/ledger.ts";
import { answer, coreObject } from "../../objects.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { csv, wantsCsv } from "../csv.ts";
import { listOptions, sealed } from "../cursor.ts";
import { instant } from "../instant.ts";
import { problem } from "../problem.ts";
import { needs } from "../roles.ts";
import { failures, listOf, pageQuery, parameter } from "../route.ts";

/** The ledger: summed, and call by call. JSON, or CSV for spreadsheets (`?format=csv`, or `Accept: text/csv`). */

const tags = ["costs"];

const format = parameter(z.enum(["json", "csv"]).optional(), "`csv` for a table; `Accept: text/csv` asks for it too.");
const unknown = z.int().meta({ description: "Calls whose outcome a crash hid, counted at their upper bound." });
const reasoningTokens = z.int().meta({ description: "Part of `completionTokens`." });

const costRow = z
  .object({
    key: z
      .string()
      .meta({ description: "The agent's id (a subtree's: its root's), the model, the provider or the UTC day." }),
    calls: z.int(),
    promptTokens: z.int(),
    cachedTokens: z.int(),
    completionTokens: z.int(),
    reasoningTokens,
    costNanoUsd: z.int(),
    costUsd: z.string(),
    cacheHits: z.int().meta({ description: "Calls that were answered without the vendor." }),
    savedNanoUsd: z.int().meta({ description: "What those would have cost." }),
    unknown,
    platform: platformBill
      .nullable()
      .meta({ description: "What the platform itself is estimated to ask for; null for a model or a provider." }),
  })
  .meta({ id: "CostRow" });

const ledgerEntry = z
  .object({
    callId: z.string(),
    agentId: z.string(),
    provider: z.string(),
    model: z.string(),
    state: z.enum(["open", "settled", "unknown"]),
    promptTokens: z.int(),
    cachedTokens: z.int(),
    cacheWriteTokens: z.int(),
    completionTokens: z.int(),
    reasoningTokens,
    costNanoUsd: z.int().meta({ description: "What is reserved, while the call is open." }),
    costUsd: z.string(),
    price: z
      .looseObject({ version: z.string() })
      .meta({ description: "Unit prices in nano-dollars per million tokens, and their source." }),
    resumedFrom: z
      .string()
      .nullable()
      .meta({ description: "The call that a crash cut and whose reply this one goes on with." }),
    restartedFrom: z
      .string()
      .nullable()
      .meta({ description: "The call that a crash cut and that this one does again." }),
    cache: z
      .enum(["memory", "shared", "flight"])
      .nullable()
      .meta({ description: "Where the reply came from instead of the vendor." }),
    savedNanoUsd: z.int(),
    openedAt: z.string(),
    settledAt: z.string().nullable(),
  })
  .meta({ id: "LedgerEntry" });

const BILL_COLUMNS = platformBill.keyof().options;
const COST_COLUMNS = [...costRow.omit({ platform: true }).keyof().options, ...BILL_COLUMNS.map(platformColumn)];

/** A line of the table: the platform's bill stands in columns of its own, which are empty where it has none. */
type CostLine = Record<string, string | number | null>;

/** A line of the table: the prices stand in columns of their own. */
type LedgerLine = Omit<LedgerEntry, "price"> & {
  inputNanoUsdPerMTok: number;
  cachedInputNanoUsdPerMTok: number;
  outputNanoUsdPerMTok: number;
  priceVersion: string;
};
const LEDGER_COLUMNS = [
  "callId",
  "agentId",
  "provider",
  "model",
  "state",
  "promptTokens",
  "cachedTokens",
  "cacheWriteTokens",
  "completionTokens",
  "reasoningTokens",
  "costNanoUsd",
  "costUsd",
  "inputNanoUsdPerMTok",
  "cachedInputNanoUsdPerMTok",
  "outputNanoUsdPerMTok",
  "priceVersion",
  "resumedFrom",
  "restartedFrom",
  "cache",
  "savedNanoUsd",
  "openedAt",
  "settledAt",
] as const satisfies (keyof LedgerLine)[];

/** JSON, and the same as a table. */
function either<Schema extends z.ZodType>(schema: Schema, description: string) {
  const table = z.string().meta({ description: "A line of names, then a line a row." });
  return { content: { "application/json": { schema }, "text/csv": { schema: table } }, description };
}

const sums = createRoute({
  method: "get",
  path: "/v1/costs",
  security: needs("viewer"),
  tags,
  summary: "The ledger, to the nano-dollar",
  request: {
    query: z.object({
      groupBy: parameter(z.enum(COST_GROUPS).optional(), "What a row stands for; `agent` when absent."),
      from: parameter(instant.optional(), "Only calls from this instant on (RFC 3339)."),
      to: parameter(instant.optional(), "Only calls before this instant."),
      format,
    }),
  },
  responses: {
    200: either(
      z
        .object({ items: z.array(costRow), totalNanoUsd: z.int(), totalUsd: z.string(), platform: platformBill })
        .meta({ id: "Costs" }),
      "A row per group, and the sum of all. The rows of subtrees overlap.",
    ),
    ...failures,
  },
});

const entries = createRoute({
  method: "get",
  path: "/v1/costs/calls",
  security: needs("viewer"),
  tags,
  summary: "The ledger call by call, the newest first",
  request: {
    query: z.object({ ...pageQuery, agentId: parameter(z.string().optional(), "Only this agent's calls."), format }),
  },
  responses: {
    200: either(
      listOf(ledgerEntry).meta({ id: "Ledger" }),
      "One entry a model call. As CSV, `X-Next-Cursor` is the cursor of the next page.",
    ),
    ...failures,
  },
});

export function costs(app: OpenAPIHono<AppEnv>): void {
  app.openapi(sums, async (c) => {
    const { groupBy = "agent", from, to, format } = c.req.valid("query");
    const core = coreObject(c.env, c.var.principal.tenant);
    const report = await answer(core.costs({ groupBy, from, to }), LIMITS.bulkRpcMs);
    if (!report.ok) return problem(c, report.error);
    if (!wantsCsv(format, c.req.header("accept"))) return c.json(report.value, 200);
    return table(c, csv<CostLine>(COST_COLUMNS, report.value.items.map(costLineOf)), "costs.csv");
  });

  app.openapi(entries, async (c) => {
    const { agentId, format, ...page } = c.req.valid("query");
    const list = `${c.var.principal.tenant}/costs`;
    const options = listOptions(list, page);
    if (!options.ok) return problem(c, options.error);
    const core = coreObject(c.env, c.var.principal.tenant);
    const found = sealed(list, await answer(core.ledger({ ...options.value, agentId }), LIMITS.bulkRpcMs));
    if (!found.ok) return problem(c, found.error);
    if (!wantsCsv(format, c.req.header("accept"))) return c.json(found.value, 200);
    if (found.value.nextCursor !== null) c.header("X-Next-Cursor", found.value.nextCursor);
    return table(c, csv<LedgerLine>(LEDGER_COLUMNS, found.value.items.map(lineOf)), "calls.csv");
  });
}

function table(c: AppContext, text: string, name: string) {
  c.header("Content-Disposition", `attachment; filename="${name}"`);
  return c.body(text, 200, { "Content-Type": "text/csv; charset=utf-8" });
}

function platformColumn(name: string): string {
  return `platform${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

function costLineOf({ platform, ...sums }: CostRow): CostLine {
  const bill = BILL_COLUMNS.map((name) => [platformColumn(name), platform?.[name] ?? null] as const);
  return { ...sums, ...Object.fromEntries(bill) };
}

function lineOf({ price, ...entry }: LedgerEntry): LedgerLine {
  const { inputNanoUsdPerMTok, cachedInputNanoUsdPerMTok, outputNanoUsdPerMTok, version: priceVersion } = price;
  return { ...entry, inputNanoUsdPerMTok, cachedInputNanoUsdPerMTok, outputNanoUsdPerMTok, priceVersion };
}
