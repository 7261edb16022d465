import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import {
  FAULTS,
  pageEntry,
  pagePatch,
  pagesBody,
  pageWithContent,
  searchHit,
  TIERS,
} from "../../../kernel/context/page.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { answer } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import { streamOf } from "../block-stream.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody, jsonBodyWithLong } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import {
  agentParams,
  failures,
  idempotencyHeader,
  json,
  listOf,
  numeric,
  pageQuery,
  parameter,
  takes,
} from "../route.ts";

const tags = ["memory"];
const entry = pageEntry.meta({ id: "PageEntry" });
const page = pageWithContent.meta({ id: "Page" });
const pageParams = agentParams.extend({ pageId: z.string().meta({ description: "The page's id, `pg_...`." }) });

const added = z.object({ pages: z.array(z.object({ id: z.string(), tokens: z.int() })) }).meta({ id: "PagesAdded" });

const add = createRoute({
  method: "post",
  path: "/v1/agents/{id}/pages",
  security: needs("operator"),
  tags,
  summary: "Put a text into the agent's memory",
  description: `The text is split into pages. Any size up to ${LIMITS.requestBytes} bytes a request.`,
  middleware: jsonBodyWithLong("content"),
  request: { params: agentParams, headers: idempotencyHeader, body: takes(pagesBody.meta({ id: "PagesBody" })) },
  responses: { 201: json(added, "The pages, in the order of the text."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/agents/{id}/pages",
  security: needs("viewer"),
  tags,
  summary: "The page table",
  request: {
    params: agentParams,
    query: z.object({ ...pageQuery, tier: parameter(z.enum(TIERS).optional(), "Only pages of this tier.") }),
  },
  responses: { 200: json(listOf(entry).meta({ id: "PageList" }), "A page of it."), ...failures },
});

const search = createRoute({
  method: "get",
  path: "/v1/agents/{id}/pages/search",
  security: needs("viewer"),
  tags,
  summary: "Search the memory, all tiers, any language",
  request: {
    params: agentParams,
    query: z.object({
      q: z.string().min(1).max(LIMITS.queryChars).meta({ description: "Words or a question." }),
      limit: numeric(
        z.int().min(1).max(LIMITS.searchMax).optional(),
        `Hits, at most ${LIMITS.searchMax}; ${LIMITS.searchDefault} when absent.`,
      ),
    }),
  },
  responses: {
    200: json(z.object({ items: z.array(searchHit) }).meta({ id: "SearchHits" }), "The best first."),
    ...failures,
  },
});

const show = createRoute({
  method: "get",
  path: "/v1/agents/{id}/pages/{pageId}",
  security: needs("viewer"),
  tags,
  summary: "Peek at a page: nothing changes",
  request: { params: pageParams },
  responses: { 200: json(page, "Its entry and content."), ...failures },
});

const touch = createRoute({
  method: "post",
  path: "/v1/agents/{id}/pages/{pageId}/touch",
  security: needs("operator"),
  tags,
  summary: "Use a page: it is faulted in from wherever it is",
  request: { params: pageParams },
  responses: {
    200: json(z.object({ page, fault: z.enum(FAULTS) }).meta({ id: "Touched" }), "It is hot."),
    ...failures,
  },
});

const change = createRoute({
  method: "patch",
  path: "/v1/agents/{id}/pages/{pageId}",
  security: needs("operator"),
  tags,
  summary: "Pin a page, or change its importance",
  middleware: jsonBody,
  request: { params: pageParams, body: takes(pagePatch.meta({ id: "PagePatch" })) },
  responses: { 200: json(entry, "As it is after the change."), ...failures },
});

const forget = createRoute({
  method: "delete",
  path: "/v1/agents/{id}/pages/{pageId}",
  security: needs("operator"),
  tags,
  summary: "Forget a page",
  request: { params: pageParams },
  responses: { 204: { description: "It is gone." }, ...failures },
});

export function pages(app: OpenAPIHono<AppEnv>): void {
  app.openapi(add, async (c) => {
    const idempotencyKey = c.req.valid("header")["Idempotency-Key"];
    const body = { ...c.req.valid("json"), content: streamOf(c.var.lifted) };
    const call = c.var.agent.addPages(body, actorOf(c.var.principal), { idempotencyKey });
    return reply(c, await answer(call, LIMITS.bulkRpcMs), 201);
  });

  app.openapi(list, async (c) => {
    const { tier, ...query } = c.req.valid("query");
    const name = `${c.req.valid("param").id}/pages`;
    const options = listOptions(name, query);
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await answer(c.var.agent.pages({ ...options.value, tier }))), 200);
  });

  app.openapi(search, async (c) => {
    const { q, limit = LIMITS.searchDefault } = c.req.valid("query");
    return reply(c, await answer(c.var.agent.searchPages(q, limit)), 200);
  });

  app.openapi(show, async (c) => reply(c, await answer(c.var.agent.page(c.req.valid("param").pageId)), 200));

  app.openapi(touch, async (c) => {
    const call = c.var.agent.touchPage(c.req.valid("param").pageId, actorOf(c.var.principal));
    return reply(c, await answer(call), 200);
  });

  app.openapi(change, async (c) => {
    const call = c.var.agent.patchPage(c.req.valid("param").pageId, c.req.valid("json"), actorOf(c.var.principal));
    return reply(c, await answer(call), 200);
  });

  app.openapi(forget, async (c) => {
    const result = await answer(c.var.agent.forgetPage(c.req.valid("param").pageId, actorOf(c.var.principal)));
    return result.ok ? c.body(null, 204) : problem(c, result.error);
  });
}
