import * as z from "zod";
import { platformBill } from "../platform/platform-usage.ts";
import { denials, grants, LANES, METER_PERIODS, PERMISSION_LEVELS, QUOTA_NAMES } from "./spec.ts";
import { EXIT_REASONS, STATES, STOP_REASONS, WAIT_REASONS } from "./state.ts";

/** The process control block, as the outside sees it (`GET /v1/agents/{id}`, `ps`, `/proc/status`). */

const count = z.int().nonnegative();
const instant = z.iso.datetime();

export const usage = z.object({
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  /** Integer nano-dollars. */
  costNanoUsd: count,
  /** The same for people: dollars as a decimal string. */
  costUsd: z.string(),
  /** Model calls that ended with a reply. */
  steps: count,
  toolCalls: count,
  /** What the platform itself is estimated to ask for, on top. */
  platform: platformBill,
});

export const contextStats = z.object({
  windowTokens: count,
  residentTokens: count,
  hotPages: count,
  warmPages: count,
  coldPages: count,
  minorFaults: count,
  majorFaults: count,
  evictions: count,
});
export type ContextStats = z.infer<typeof contextStats>;

export const quotaMeter = z.object({
  limit: count,
  used: count,
  reserved: count,
  per: z.enum(METER_PERIODS),
});

export const controlBlock = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  goal: z.string(),
  model: z.string(),
  state: z.enum(STATES),
  waitReason: z.enum(WAIT_REASONS).nullable(),
  stopReason: z.enum(STOP_REASONS).nullable(),
  priority: z.int(),
  permissionLevel: z.enum(PERMISSION_LEVELS),
  /** Tools that always ask a person first. Absent in what an older version reported. */
  approvals: z.object({ tools: z.array(z.string()) }).optional(),
  /** Tools that it is offered; null = all that its level allows. Absent, as the next two, in what an older version reported. */
  tools: z.array(z.string()).nullable().optional(),
  grants: grants.optional(),
  /** What it may not use, whatever its level and its grants say, with what it has of its parents. */
  denials: denials.optional(),
  lane: z.enum(LANES),
  daemon: z.boolean(),
  parentId: z.string().nullable(),
  exit: z.object({ code: z.int(), reason: z.enum(EXIT_REASONS) }).nullable(),
  result: z.string().nullable(),
  /** The newest failure of a turn, in words, until a turn succeeds. */
  lastError: z.string().nullable(),
  usage,
  context: contextStats,
  quotas: z.partialRecord(z.enum(QUOTA_NAMES), quotaMeter),
  createdAt: instant,
  updatedAt: instant,
});
export type ControlBlock = z.infer<typeof controlBlock>;

/** Nano-dollars as dollars for people: at least cents, no trailing zeros beyond them, never rounded. */
export function usd(nanoUsd: number): string {
  const digits = String(Math.trunc(nanoUsd)).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `${digits.slice(0, -9)}.${fraction}`;
}
