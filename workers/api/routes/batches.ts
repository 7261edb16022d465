import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { systemHash } from "../../../durable-objects/ports.ts";
import { err, type Result } from "../../../kernel/errors.ts";
import { isBatchIdOf } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { batchBody } from "../../../kernel/llm/batch/batch-request.ts";
import { batchView, JOB_STATES } from "../../../kernel/llm/batch/job-state.ts";
import { answer, batchObject, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import { acceptBatch } from "../batches/accept-batch.ts";
import { byteRange } from "../batches/byte-range.ts";
import { resultsStream } from "../batches/results-stream.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { problem } from "../problem.ts";
import { Batches } from "../registry/batches.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, idempotencyHeader, json, listOf, pageQuery } from "../route.ts";

/**
 * Many model calls as one job. The creating route and the results stand in the router by hand, because their bodies are
 * streams; the definitions below are what the reference shows, and the header is checked by the same schema.
 */

const tags = ["batches"];
const batch = batchView.meta({ id: "Batch" });
const entry = z
  .object({
    id: z.string(),
    state: z.enum(JOB_STATES),
    progress: batchView.shape.progress,
    createdAt: z.iso.datetime(),
    asOf: z.iso
      .datetime()
      .meta({ description: "When the job last told where it is; ask for the job itself to be exact." }),
  })
  .meta({ id: "BatchEntry" });
const batchParams = z.object({ id: z.string().meta({ description: "The batch's id, `batch_...`." }) });
const lines = z.string().meta({ description: "JSON Lines." });

const create = createRoute({
  method: "post",
  path: "/v1/batches",
  security: needs("operator"),
  tags,
  summary: "Run many model calls as one job, at batch prices where the vendor has them",
  description: `JSON, at most ${LIMITS.requestBytes} bytes, or JSON Lines in the shape of OpenAI's batch files (\`{custom_id, body: {model, messages, ...}}\`), at most ${LIMITS.batchBytes}; at most ${LIMITS.batchRequests} requests. A model is \`provider/model\`. One bad request refuses all, by its line.`,
  request: {
    headers: idempotencyHeader,
    body: {
      required: true,
      content: {
        "application/json": { schema: batchBody.meta({ id: "BatchBody" }) },
        "application/jsonl": { schema: lines },
      },
    },
  },
  responses: { 201: json(batch, "It is durable and listed."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/batches",
  security: needs("viewer"),
  tags,
  summary: "The batches, the oldest first",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(listOf(entry).meta({ id: "BatchList" }), "A page of them."), ...failures },
});

const show = createRoute({
  method: "get",
  path: "/v1/batches/{id}",
  security: needs("viewer"),
  tags,
  summary: "One batch, with its progress",
  request: { params: batchParams },
  responses: { 200: json(batch, "As it is now."), ...failures },
});

const results = createRoute({
  method: "get",
  path: "/v1/batches/{id}/results",
  security: needs("viewer"),
  tags,
  summary: "The results of a batch that has ended",
  description:
    "JSON Lines, one for each request, in the order of the requests, in the shape of OpenAI's output files: `{id, custom_id, response: {status_code, body} | null, error: {code, message} | null}`, and `costNanoUsd`. Takes `Range`. 409 `conflict` while the batch has not ended.",
  request: { params: batchParams },
  responses: {
    200: { content: { "application/jsonl": { schema: lines } }, description: "All of them." },
    206: { content: { "application/jsonl": { schema: lines } }, description: "The range that was asked for." },
    416: { description: "The range lies behind the end; `Content-Range` says where that is." },
    ...failures,
  },
});

const cancel = createRoute({
  method: "delete",
  path: "/v1/batches/{id}",
  security: needs("operator"),
  tags,
  summary: "Cancel a batch",
  description: "Requests that were answered keep their results and their price; the others end as cancelled, unbilled.",
  request: { params: batchParams },
  responses: { 202: json(batch, "It is being cancelled."), ...failures },
});

export function batches(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerPath(create);
  app.post("/v1/batches", createBatch);
  app.openAPIRegistry.registerPath(results);
  app.get("/v1/batches/:id/results", readResults);

  app.openapi(list, async (c) => {
    const name = `${c.var.principal.tenant}/batches`;
    const options = listOptions(name, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await new Batches(c.env.DB).list(c.var.principal.tenant, options.value)), 200);
  });

  app.openapi(show, async (c) => reply(c, await onBatch(c, (job) => job.view()), 200));

  app.openapi(cancel, async (c) => {
    const { principal } = c.var;
    const cancelled = await onBatch(c, (job) => job.cancel());
    if (!cancelled.ok) return problem(c, cancelled.error);
    const core = coreObject(c.env, principal.tenant);
    const facts = { batchId: cancelled.value.id };
    return reply(c, andThen(await answer(core.record("batch.cancel", actorOf(principal), facts)), cancelled), 202);
  });
}

async function createBatch(c: AppContext): Promise<Response> {
  const header = idempotencyHeader.safeParse({ "Idempotency-Key": c.req.header("Idempotency-Key") });
  if (!header.success) {
    const message = header.error.issues[0]?.message ?? "is not valid";
    const issues = [{ path: "header.Idempotency-Key", message }];
    return problem(c, err("invalid_input", `header.Idempotency-Key: ${message}.`, { issues }).error);
  }
  const accepted = await acceptBatch(c, header.data["Idempotency-Key"]);
  if (accepted.ok) c.header("Location", `/v1/batches/${accepted.value.id}`);
  return reply(c, accepted, 201);
}

async function readResults(c: AppContext): Promise<Response> {
  const found = await onBatch(c, (job) => job.results());
  if (!found.ok) return problem(c, found.error);
  const last = found.value.at(-1);
  const size = last === undefined ? 0 : last.offset + last.bytes;
  const range = byteRange(c.req.header("Range"), size);
  const headers = { "Content-Type": "application/jsonl; charset=utf-8", "Accept-Ranges": "bytes" };
  if (range.kind === "unsatisfiable") return c.body(null, 416, { ...headers, "Content-Range": `bytes */${size}` });
  const { from, to } = range.kind === "part" ? range : { from: 0, to: size - 1 };
  const body = resultsStream(c.env.PAGES, found.value, from, to);
  if (range.kind === "whole") return c.body(body, 200, headers);
  return c.body(body, 206, { ...headers, "Content-Range": `bytes ${from}-${to}/${size}` });
}

/** Asks the batch that the path names. A made-up id, or one of another tenant, wakes no object. */
async function onBatch<T>(
  c: AppContext,
  ask: (job: ReturnType<typeof batchObject>) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { tenant } = c.var.principal;
  const id = c.req.param("id") ?? "";
  if (!isBatchIdOf(tenant, id, systemHash)) return err("not_found", "There is no such batch.");
  return answer(ask(batchObject(c.env, tenant, id)));
}

/** The second result, unless the first is a failure. */
function andThen<T>(first: Result<unknown>, second: Result<T>): Result<T> {
  return first.ok ? second : first;
}
