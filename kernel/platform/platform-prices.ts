/**
 * What the platform charges for each unit, in nano-dollars: the Workers Paid plan's price of one more, beyond what the plan
 * includes, because an agent cannot know what is left of the account's allowance.
 *
 * Read on 2026-11-23 from developers.cloudflare.com: durable-objects/platform/pricing, r2/pricing, queues/platform/pricing,
 * workers/platform/pricing.
 */
export const PLATFORM_PRICES = {
  /** Where and when the prices were read. */
  version: "cloudflare-2026-11-23",
  /** A request to an object: a call by RPC, an upgrade to a WebSocket, an alarm. 0.15 USD a million. */
  requestNanoUsd: 150,
  /** A message that a WebSocket brings counts as a twentieth of a request. */
  socketMessagesPerRequest: 20,
  /** 12.50 USD a million GB-seconds. */
  gbSecondNanoUsd: 12_500,
  /** What an object is billed for while it is awake, whatever it uses: 128 MB, of which 1,000 are a GB. */
  objectMb: 128,
  /** 0.001 USD a million. */
  rowReadNanoUsd: 1,
  /** Deleted rows and set alarms too. 1 USD a million. */
  rowWrittenNanoUsd: 1_000,
  /** Putting and listing. 4.50 USD a million. Deleting is free. */
  r2ClassANanoUsd: 4_500,
  /** Getting. 0.36 USD a million. */
  r2ClassBNanoUsd: 360,
  /** 64 KB that are written to a queue, read from it or deleted. 0.40 USD a million. */
  queueOperationNanoUsd: 400,
  /** A message is written, read and deleted. */
  queueOperationsPerMessage: 3,
  /** A millisecond of a Worker's CPU. 0.02 USD a million. */
  cpuMsNanoUsd: 20,
} as const;
