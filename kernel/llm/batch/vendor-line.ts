import * as z from "zod";
import type { ChatRequest } from "../chat.ts";
import { type Account, httpFailure, malformed } from "../classify.ts";
import type { ChatOutcome } from "../provider.ts";
import { ReplyAccumulator } from "../reply-accumulator.ts";
import { requestBody } from "../request-body.ts";
import { boundedUsage, reportedUsage } from "../usage.ts";
import type { ChatVendor } from "../vendor.ts";
import { completion, parseJson, vendorError } from "../wire.ts";
import { unbilled } from "./driver.ts";

/** The lines of a vendor's batch files: requests out, outcomes in. */

/** Our name of a request in a vendor's file: its position in the job. */
export function nameOf(position: number): string {
  return `r${position}`;
}

export function positionOf(name: string): number | null {
  const digits = /^r(\d{1,9})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function lineOf(position: number, request: ChatRequest, vendor: ChatVendor, listed: boolean): string {
  const { stream: _stream, stream_options: _options, ...body } = requestBody(request, vendor, listed);
  return `${JSON.stringify({ custom_id: nameOf(position), method: "POST", url: "/v1/chat/completions", body })}\n`;
}

const outcomeLine = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.int(), body: z.unknown() }).nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

export interface VendorLine {
  position: number;
  response: { status_code: number; body?: unknown } | null;
  error: { code: string; message: string } | null;
}

/** Null for what is no outcome of a request of ours. */
export function parseLine(text: string): VendorLine | null {
  const parsed = outcomeLine.safeParse(parseJson(text));
  const position = parsed.success ? positionOf(parsed.data.custom_id) : null;
  if (!parsed.success || position === null) return null;
  const { response = null, error = null } = parsed.data;
  const said = error === null ? null : { code: error.code ?? "", message: error.message ?? "" };
  return { position, response, error: said };
}

/** What a line says of its request. Vendors bill replies only: an error counts where usage comes with it. */
export function outcomeOf(line: VendorLine, request: ChatRequest, vendor: ChatVendor, account: Account): ChatOutcome {
  const { response, error } = line;
  if (error?.code === "batch_expired") return unbilled("expired");
  if (error?.code === "batch_cancelled") return unbilled("cancelled");
  if (response === null || response.status_code >= 400 || vendorError(response.body) !== null) {
    const body = response?.body ?? { error: { code: error?.code, message: error?.message } };
    const status = response === null || response.status_code < 400 ? 400 : response.status_code;
    return { ...httpFailure({ status, headers: undefined, body }, account, 0), retryable: false, billed: "none" };
  }
  return replyOf(response.body, request, vendor, account);
}

function replyOf(body: unknown, request: ChatRequest, vendor: ChatVendor, account: Account): ChatOutcome {
  const parsed = completion.safeParse(body);
  if (!parsed.success) return malformed("is not the JSON of a chat completion", account, false);
  const reply = new ReplyAccumulator();
  reply.add(parsed.data);
  const usage =
    (reply.usage === null ? null : reportedUsage(reply.usage, vendor)) ?? boundedUsage(request, reply.partial);
  const finish = reply.finishReason();
  if (!finish.ok) return { ...malformed(`has a fault: ${finish.problem}`, account, false), usage };
  return { ok: true, reply: { ...reply.partial, finishReason: finish.reason, usage } };
}
