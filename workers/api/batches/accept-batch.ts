import { systemClock, systemHash, systemRandom } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { newBatchId } from "../../../kernel/id.ts";
import { batchBody, requestOf } from "../../../kernel/llm/batch/batch-request.ts";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import { parseJson } from "../../../kernel/llm/wire.ts";
import { answer, batchObject, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import { readText } from "../body.ts";
import type { AppContext } from "../context.ts";
import { inputIssues } from "../input-issues.ts";
import { attemptOf } from "../registry/attempt.ts";
import { newBatch } from "../registry/batches.ts";
import { Creations } from "../registry/creations.ts";
import { BatchUpload } from "./batch-upload.ts";

/**
 * Accepts a batch. Its object takes the requests first and does nothing; the row in D1's list, written in one transaction
 * with the first answer to the Idempotency-Key, is what makes it accepted. An object without such a row erases itself, one
 * that has it starts, also when whoever should have told it has died.
 */
export async function acceptBatch(c: AppContext, idempotencyKey: string | undefined): Promise<Result<BatchView>> {
  const { principal } = c.var;
  const kind = kindOf(c.req.header("Content-Type") ?? "");
  if (kind === null) return UNSUPPORTED;
  const id = newBatchId(principal.tenant, { clock: systemClock, random: systemRandom, hash: systemHash });
  const job = batchObject(c.env, principal.tenant, id);
  const begun = await answer(job.begin(actorOf(principal)));
  if (!begun.ok) return begun;
  const upload = new BatchUpload(c.env, job);
  const sealed = kind === "lines" ? await upload.lines(c.req.raw) : await uploadJson(c, upload);
  const attempt = attemptOf(c, { sha256: upload.sha256 }, idempotencyKey);
  const accepted = sealed.ok ? await list(c, sealed.value, attempt) : sealed;
  if (accepted.ok && accepted.value.id === id) return answer(job.start());
  c.executionCtx.waitUntil(job.discard().catch(() => {}));
  return accepted;
}

async function list(c: AppContext, view: BatchView, attempt: ReturnType<typeof attemptOf>): Promise<Result<BatchView>> {
  const { principal, env } = { principal: c.var.principal, env: c.env };
  const created = await new Creations(env.DB).once(attempt, async () => {
    const facts = { batchId: view.id, requests: String(view.progress.total) };
    const recorded = await answer(coreObject(env, principal.tenant).record("batch.create", actorOf(principal), facts));
    return recorded.ok ? ok(newBatch(principal.tenant, view)) : recorded;
  });
  if (!created.ok) return created;
  return created.value === null ? BUSY : ok(created.value);
}

async function uploadJson(c: AppContext, upload: BatchUpload): Promise<Result<BatchView>> {
  const text = await readText(c.req.raw);
  if (!text.ok) return text;
  const value = parseJson(text.value);
  if (value === undefined) return err("invalid_json", "The body is not JSON.");
  const body = batchBody.safeParse(value);
  if (body.success) return upload.requests(body.data.requests.map(requestOf), text.value);
  const issues = inputIssues("json", body.error.issues);
  return err("invalid_input", `${issues[0]?.path}: ${issues[0]?.message}.`, { issues });
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*;?\s*$/i;
const LINES_TYPE = /^application\/(?:jsonl|x-jsonl|x-ndjson|x-jsonlines)(?:\s*;\s*charset="?utf-8"?)?\s*;?\s*$/i;

function kindOf(type: string): "json" | "lines" | null {
  if (LINES_TYPE.test(type)) return "lines";
  return JSON_TYPE.test(type) ? "json" : null;
}

const UNSUPPORTED = err(
  "unsupported_media_type",
  "Send `application/json`, or JSON Lines as `application/jsonl`, in UTF-8.",
);
const BUSY = err("unavailable", "The batch was not accepted; try again with the same Idempotency-Key.");
