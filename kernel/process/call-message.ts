import * as z from "zod";

/**
 * A message of the calls queue, or to an economy pool: which model call waits, not what it says. Its body is made again when it is claimed, so
 * that a message stays small and nothing that a queue loses, doubles or keeps holds an agent's content.
 */
export const callMessage = z.object({
  tenant: z.string().min(1),
  agentId: z.string().min(1),
  callId: z.string().min(1),
  /** 1, 2, 3, ...: how often the call was put into the queue. */
  attempt: z.int().positive(),
  /** `provider/model`, so that a consumer can group before it has claimed. */
  model: z.string().min(1),
  /** SHA-256 over model and request: equal hashes ask for the same. */
  hash: z.string().min(1),
  /** The same request always gets the same reply: identical calls of one tenant may share one. */
  repeatable: z.boolean(),
  /** What the call counts for against the vendor account's tokens a minute. Absent in messages of older versions. */
  tokens: z.int().nonnegative().optional(),
  /** `economy` = for the pool of the vendor's Batch API, which is reached without the queue. Absent = for the queue. */
  lane: z.literal("economy").optional(),
});
export type CallMessage = z.infer<typeof callMessage>;
