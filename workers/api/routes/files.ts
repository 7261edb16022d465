import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { err } from "../../../kernel/errors.ts";
import { issuesOf } from "../../../kernel/input.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { labelInput } from "../../../kernel/security/label.ts";
import { fileEntry } from "../../../kernel/storage/driver.ts";
import { answer } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import { readBytes } from "../body.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { filePath } from "../file-path.ts";
import { invalidInput } from "../input-issues.ts";
import { etag, expectedVersion } from "../precondition.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { agentParams, failures, json, listOf, pageQuery, parameter } from "../route.ts";

/**
 * The agent's file system: raw bytes in and out. The file routes stand in the router by hand, because a path has slashes
 * and the raw URL says which of them were typed; the definitions below are what the reference shows.
 */

const tags = ["files"];
export const entry = fileEntry.meta({ id: "File" });
const bytes = { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } };
export const tagHeader = { ETag: { description: "The version, in quotes.", schema: { type: "string" as const } } };
export const fileParams = agentParams.extend({
  path: z.string().meta({
    description:
      "A path in the agent's mounts, slashes included: `workspace/notes/a.txt`. Without a mount it starts at `/workspace`.",
  }),
});
const preconditions = z.object({
  "If-Match": z.string().optional().meta({ description: 'Write only over this version, such as `"3"`.' }),
  "If-None-Match": z.string().optional().meta({ description: "`*`: write only when there is no such file." }),
});

/** What is said of the content, as for pages. */
const fileLabel = z.object({
  trust: parameter(labelInput.trust, "How far its content is trusted; `untrusted` when absent."),
  sensitivity: parameter(labelInput.sensitivity, "Who may see it; `private` when absent."),
});

const versionQuery = z.object({
  version: parameter(
    z.coerce.number().int().min(1).optional(),
    "An earlier version that is kept; else the file as it is.",
  ),
});

const list = createRoute({
  method: "get",
  path: "/v1/agents/{id}/files",
  security: needs("viewer"),
  tags,
  summary: "List files, in the order of their paths",
  request: {
    params: agentParams,
    query: z.object({
      ...pageQuery,
      prefix: parameter(z.string().max(LIMITS.filePathChars).optional(), "Only paths that start with this."),
    }),
  },
  responses: { 200: json(listOf(entry).meta({ id: "FileList" }), "A page of them."), ...failures },
});

const FILE = "/v1/agents/{id}/files/{path}";

const read = createRoute({
  method: "get",
  path: FILE,
  security: needs("viewer"),
  tags,
  summary: "Read a file",
  request: { params: fileParams, query: versionQuery },
  responses: { 200: { content: bytes, headers: tagHeader, description: "Its bytes." }, ...failures },
});

const write = createRoute({
  method: "put",
  path: FILE,
  security: needs("operator"),
  tags,
  summary: "Write a file",
  description: `Any content type; at most ${LIMITS.fileBytes} bytes.`,
  request: { params: fileParams, query: fileLabel, headers: preconditions, body: { required: true, content: bytes } },
  responses: {
    200: { ...json(entry, "It replaced the version before, or a file that was deleted."), headers: tagHeader },
    201: { ...json(entry, "It is new."), headers: tagHeader },
    ...failures,
  },
});

const remove = createRoute({
  method: "delete",
  path: FILE,
  security: needs("operator"),
  tags,
  summary: "Delete a file",
  request: { params: fileParams },
  responses: { 204: { description: "It is gone." }, ...failures },
});

export function files(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const { prefix, ...query } = c.req.valid("query");
    const name = `${c.req.valid("param").id}/files`;
    const options = listOptions(name, query);
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await answer(c.var.agent.files({ ...options.value, prefix }))), 200);
  });

  for (const route of [read, write, remove]) app.openAPIRegistry.registerPath(route);
  app.get("/v1/agents/:id/files/*", readFile);
  app.put("/v1/agents/:id/files/*", writeFile);
  app.delete("/v1/agents/:id/files/*", removeFile);
}

async function readFile(c: AppContext): Promise<Response> {
  const path = filePath(c.req.url);
  if (!path.ok) return problem(c, path.error);
  const query = versionQuery.safeParse(c.req.query());
  if (!query.success) return problem(c, invalidInput("query", query.error.issues));
  const found = await answer(c.var.agent.readFile(path.value, query.data.version), LIMITS.bulkRpcMs);
  if (!found.ok) return problem(c, found.error);
  const { file, bytes } = found.value;
  return c.body(new Uint8Array(bytes), 200, { "Content-Type": contentType(file.path), ETag: etag(file.version) });
}

async function writeFile(c: AppContext): Promise<Response> {
  const path = filePath(c.req.url);
  if (!path.ok) return problem(c, path.error);
  const ifVersion = expectedVersion(c.req.raw.headers);
  if (!ifVersion.ok) return problem(c, ifVersion.error);
  const bytes = await readBytes(c.req.raw);
  if (!bytes.ok) return problem(c, bytes.error);
  const said = fileLabel.safeParse(c.req.query());
  if (!said.success)
    return problem(c, err("invalid_input", "The query is not valid.", { issues: issuesOf(said.error) }).error);
  const options = { ifVersion: ifVersion.value, ...said.data };
  const call = c.var.agent.writeFile(path.value, bytes.value, options, actorOf(c.var.principal));
  const written = await answer(call, LIMITS.bulkRpcMs);
  if (!written.ok) return problem(c, written.error);
  c.header("ETag", etag(written.value.version));
  return c.json(written.value, written.value.version === 1 ? 201 : 200);
}

async function removeFile(c: AppContext): Promise<Response> {
  const path = filePath(c.req.url);
  if (!path.ok) return problem(c, path.error);
  const removed = await answer(c.var.agent.deleteFile(path.value, actorOf(c.var.principal)));
  return removed.ok ? c.body(null, 204) : problem(c, removed.error);
}

const TEXT = /\.(?:txt|md|csv|tsv|json|jsonl|log|xml|yaml|yml|html|css|js|ts|py|sh|sql)$/i;

/** Text is named as plain text whatever it is, so that no browser runs what an agent wrote. */
function contentType(path: string): string {
  return TEXT.test(path) ? "text/plain; charset=utf-8" : "application/octet-stream";
}
