import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { label, labelInput } from "../security/label.ts";

/** A message in a process's mailbox. Each accepted one ends in exactly one of the last four states. */

export const MESSAGE_STATES = ["queued", "running", "answered", "failed", "parked", "cancelled"] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export const messageBody = z.strictObject({
  content: z
    .string()
    .min(1)
    .refine((text) => new TextEncoder().encode(text).length <= LIMITS.messageBytes, {
      message: `at most ${LIMITS.messageBytes} bytes of UTF-8; put longer text into pages or files`,
    }),
  /** Absent = `user` and `public`. A message of trust `untrusted` is data, and gives no orders. */
  ...labelInput,
  /** Seconds to wait for the reply before answering 202. */
  wait: z.number().min(0).max(LIMITS.waitMaxSeconds).optional(),
});

export const messageView = z.object({
  id: z.string(),
  state: z.enum(MESSAGE_STATES),
  content: z.string(),
  /** `key:<id>`, `agent:<id>`, or `kernel` for the goal. */
  from: z.string(),
  label: label.optional(),
  reply: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type MessageView = z.infer<typeof messageView>;

export const SIGNALS = ["STOP", "CONT", "INT", "TERM", "KILL"] as const;
export type Signal = (typeof SIGNALS)[number];
export const signalBody = z.strictObject({ signal: z.enum(SIGNALS) });
