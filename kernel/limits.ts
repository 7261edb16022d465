/** Every limit and default of the kernel on one page, with units in the names. */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const LIMITS = {
  // --- the door of the API
  requestBytes: 16 * MIB,
  nameChars: 200,
  textChars: 64 * KIB,
  pageListMax: 200,
  pageListDefault: 50,
  waitMaxSeconds: 300,
  waitDefaultSeconds: 60,
  idempotencyKeyChars: 255,
  idempotencyMs: 24 * HOUR_MS,

  // --- processes
  mailboxMessages: 1_000,
  messageBytes: 1 * MIB,
  resultBytes: 256 * KIB,
  priorityDefault: 50,
  priorityMax: 99,
  stepsPerTurn: 50,
  sliceMs: 10 * MINUTE_MS,
  deathsPerCall: 10,
  /** The deadman alarm of a slice: revives a loop whose object died. */
  deadmanMs: 30 * SECOND_MS,
  rpcMs: 10 * SECOND_MS,
  /** A message that never finds a working vendor fails after this. */
  messageMs: 1 * HOUR_MS,

  // --- scheduling and money
  slotsPerTenant: 256,
  slotMs: 15 * MINUTE_MS,
  requeueMs: 30 * SECOND_MS,
  /** After a call's deadline, how long its outcome may still arrive before it settles as `unknown`. */
  settleGraceMs: 60 * SECOND_MS,
  projectionBatchRows: 500,
  projectionMs: 1 * SECOND_MS,
  sweepRows: 500,

  // --- models
  maxOutputTokens: 4_096,
  modelCallMs: 5 * MINUTE_MS,
  modelHeadersMs: 60 * SECOND_MS,
  modelIdleMs: 60 * SECOND_MS,
  modelReplyBytes: 8 * MIB,
  backoffBaseMs: 500,
  backoffMaxMs: 60 * SECOND_MS,
  retryAfterMaxMs: 10 * MINUTE_MS,
  toolCallsPerStep: 32,
  toolArgumentBytes: 256 * KIB,

  // --- context
  windowTokens: 128_000,
  windowTokensMin: 1_000,
  windowTokensMax: 2_000_000,
  pageTokens: 512,
  pageTokensMin: 64,
  pageTokensMax: 4_096,
  /** Hot set: reclaim starts above `high` and goes down to `low` (parts of the window). */
  hotHighWatermark: 0.85,
  hotLowWatermark: 0.6,
  /** Warm set, bytes of content in the object's SQLite: spilling starts above `high` and goes down to `low`. */
  warmHighBytes: 2 * MIB,
  warmLowBytes: 1 * MIB,
  /** A writer waits for the spill itself (direct reclaim) above this. */
  warmHardBytes: 32 * MIB,
  segmentBytes: 1 * MIB,
  /** Demand paging before each model call: at most this part of the window and this long. */
  demandPagingShare: 0.25,
  demandPagingPages: 8,
  demandPagingMs: 1_500,
  /** A tool result over this part of the window becomes pages; its group keeps the reference. */
  resultShare: 0.125,
  searchMax: 50,
  searchDefault: 10,
  queryChars: 4_000,
  snippetChars: 240,

  // --- files
  filePathChars: 512,
  fileBytes: 16 * MIB,
  fileChunkBytes: 1 * MIB,

  // --- tools
  toolMs: 30 * SECOND_MS,
  expressionChars: 1_000,
  questionChars: 4_000,

  // --- watching
  eventReplayRows: 500,
  eventDataBytes: 16 * KIB,
  watchersPerAgent: 64,
  heartbeatMs: 15 * SECOND_MS,
} as const;
