import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { err } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { fileVersion } from "../../../kernel/storage/driver.ts";
import { answer } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { filePath } from "../file-path.ts";
import { invalidInput } from "../input-issues.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { etag } from "../precondition.ts";
import { problem } from "../problem.ts";
import { needs } from "../roles.ts";
import { failures, json, takes } from "../route.ts";
import { entry, fileParams, tagHeader } from "./files.ts";

/** What files were before they were overwritten or deleted. A prefix of its own, because a path may end in any word. */

const tags = ["files"];
const VERSIONS = "/v1/agents/{id}/file-versions/{path}";
const rollbackBody = z.strictObject({ version: z.int().min(1) }).meta({ id: "FileRollback" });

const list = createRoute({
  method: "get",
  path: VERSIONS,
  security: needs("viewer"),
  tags,
  summary: "Earlier versions of a file that are kept, newest first",
  description: `Also those of a file that was deleted. At most ${LIMITS.fileVersions} of a file; the oldest go first, and all of them before a write finds no room.`,
  request: { params: fileParams },
  responses: {
    200: json(z.object({ items: z.array(fileVersion.meta({ id: "FileVersion" })) }), "All of them."),
    ...failures,
  },
});

const rollback = createRoute({
  method: "post",
  path: VERSIONS,
  security: needs("operator"),
  tags,
  summary: "Write an earlier version of a file again, as a new one",
  request: { params: fileParams, body: takes(rollbackBody) },
  responses: { 200: { ...json(entry, "The file as it is now."), headers: tagHeader }, ...failures },
});

export function fileVersions(app: OpenAPIHono<AppEnv>): void {
  for (const route of [list, rollback]) app.openAPIRegistry.registerPath(route);
  app.get("/v1/agents/:id/file-versions/*", listVersions);
  app.post("/v1/agents/:id/file-versions/*", jsonBody, rollBack);
}

async function listVersions(c: AppContext): Promise<Response> {
  const path = filePath(c.req.url);
  if (!path.ok) return problem(c, path.error);
  const kept = await answer(c.var.agent.fileVersions(path.value));
  return kept.ok ? c.json({ items: kept.value }) : problem(c, kept.error);
}

async function rollBack(c: AppContext): Promise<Response> {
  const path = filePath(c.req.url);
  if (!path.ok) return problem(c, path.error);
  const sent: unknown = await c.req.json().catch(() => undefined);
  if (sent === undefined) return problem(c, err("invalid_json", "The body is not JSON.").error);
  const body = rollbackBody.safeParse(sent);
  if (!body.success) return problem(c, invalidInput("json", body.error.issues));
  const call = c.var.agent.rollbackFile(path.value, body.data.version, actorOf(c.var.principal));
  const written = await answer(call, LIMITS.bulkRpcMs);
  if (!written.ok) return problem(c, written.error);
  c.header("ETag", etag(written.value.version));
  return c.json(written.value);
}
