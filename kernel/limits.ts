/** Every limit and default of the kernel on one page, with units in the names. */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const LIMITS = {
  // --- the door of the API
  requestBytes: 16 * MIB,
  /** Of a refused body so much is read and thrown away, because a client that is still sending does not see the reply. */
  discardedBytes: 64 * MIB,
  /** The whole body of a request arrives within this. */
  requestBodyMs: 60 * SECOND_MS,
  /** RPC that moves much or walks much: ingest, files, the whole chain, erasing. */
  bulkRpcMs: 2 * MINUTE_MS,
  /** `Retry-After` of a reply that the busy kernel could not give. */
  retryAfterMs: 1 * SECOND_MS,
  /** Violations named in one 422. */
  inputIssues: 32,
  cursorChars: 4_096,
  nameChars: 200,
  textChars: 64 * KIB,
  pageListMax: 200,
  pageListDefault: 50,
  waitMaxSeconds: 300,
  waitDefaultSeconds: 60,
  idempotencyKeyChars: 255,
  idempotencyMs: 24 * HOUR_MS,

  // --- keys
  /** An isolate trusts what it has read of a key for so long. */
  keyCacheMs: 4 * SECOND_MS,
  keyCacheEntries: 1_000,
  /** Revoking a key answers so long after the revocation is durable; the second over `keyCacheMs` is for clocks that jump. */
  keyRevocationMs: 5 * SECOND_MS,
  /** How long a rotated key may work beside its successor. */
  keyOverlapMaxSeconds: (7 * 24 * HOUR_MS) / SECOND_MS,
  // --- credentials for hosts outside
  credentialsMax: 256,
  credentialHosts: 32,
  credentialHeaders: 8,
  /** A shorter one is no secret: it could not be found again in what hosts answer without finding ordinary words. */
  credentialChars: 8,
  /** The kernel's own key, from which the ones that seal credentials are derived. */
  secretsKeyChars: 32,

  /** How exactly a key's last use is known. */
  keyUseMs: 1 * HOUR_MS,
  /** One question to D1. */
  d1Ms: 5 * SECOND_MS,
  /** The window of `requestsPerMinute`. */
  rateWindowMs: MINUTE_MS,
  requestsPerMinuteMax: 1_000_000,
  /** Refused logins logged one by one, a minute and isolate; more are only counted. */
  refusedLoginLines: 60,

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

  /** A meter that passes this part of its limit is an event. */
  quotaWarningShare: 0.8,
  /** Goals and results are cut to this in lists. */
  listedTextChars: 1_000,
  depthMax: 16,
  /** What is under way in an object that is erased ends within this, or is waited for again by the sweep. */
  quietMs: 5 * SECOND_MS,
  /** Batches of objects deleted in one call that erases; the sweep goes on with the rest. */
  eraseRounds: 20,
  /** Batches of pages that a writer waits for when the warm tier is full. */
  reclaimRounds: 64,
  /** After a reclaim that freed nothing or failed. */
  reclaimRetryMs: 5 * SECOND_MS,
  /** A slice that threw runs again after this. */
  brokenSliceMs: 5 * SECOND_MS,
  /** An object whose schema cannot be migrated looks for a better version of the code after this. */
  schemaRetryMs: 60 * SECOND_MS,
  /** A process that should have gone on by itself and was not heard for this is asked whether its alarm stands. */
  signMs: 30 * SECOND_MS,

  // --- scheduling and money
  slotsPerTenant: 256,
  slotMs: 15 * MINUTE_MS,
  /** Priorities below this run before all others, in at most `urgentShare` of the slots. */
  urgentPriorities: 10,
  urgentShare: 0.5,
  requeueMs: 30 * SECOND_MS,
  /** After a call's deadline, how long its outcome may still arrive before it settles as `unknown`. */
  settleGraceMs: 60 * SECOND_MS,
  projectionBatchRows: 500,
  projectionMs: 1 * SECOND_MS,
  sweepRows: 500,
  /** Log entries in one report of an agent to its core. */
  exportRows: 500,
  /** Reports at the end of one slice; the rest follows in the next. */
  exportBatches: 20,
  /** UTC days that the platform's bill of a process is kept apart for; what is older counts on the oldest of them. */
  platformBillDays: 31,
  /** Cores woken by one cron tick, so many at a time, within so long. */
  sweepCores: 1_000,
  sweepConcurrency: 16,
  sweepMs: 50 * SECOND_MS,

  // --- the audit trail
  /** What changed is exported and signed at most once in so long; a tenant that is quiet costs nothing. */
  auditPeriodMs: 5 * MINUTE_MS,
  /** Entries of one exported segment. */
  auditSegmentRows: 1_000,
  /** Chains in one batch of checkpoints, how many of them at the same time, and batches in one sweep; the rest waits a period. */
  auditBatchChains: 48,
  auditConcurrency: 6,
  auditBatches: 8,
  /** Segments of one chain that are exported before its object is erased, in one go. */
  auditSealSegments: 200,
  /** Checkpoints read from D1 at a time, and segments that one sweep of the retention removes. */
  auditCheckpointRows: 500,
  auditRetireRows: 200,
  /** Findings that one verification names; after the first the rest follows from it more often than not. */
  auditFindings: 20,
  auditPassphraseChars: 32,
  /** A longer reason is cut in the log. */
  auditReasonChars: 300,
  /** Refused requests of one key that are entered one by one, a minute; more are only counted. */
  deniedEntries: 10,

  // --- models
  maxOutputTokens: 4_096,
  modelCallMs: 5 * MINUTE_MS,
  /**
   * Where a vendor goes on from the beginning of a reply, that beginning is written down after so long, and then each time the
   * call has taken twice as long: a crash loses at most half, and the longest call writes seven rows for it.
   */
  partialFirstMs: 4 * SECOND_MS,
  /** Characters of text, and of reasoning, that are written down; the rest is made again. */
  partialChars: 64 * KIB,
  modelHeadersMs: 60 * SECOND_MS,
  modelIdleMs: 60 * SECOND_MS,
  /** How long the last byte of a request is kept back after a failed call, to learn whether the vendor is there at all. */
  heldByteMs: 500,
  modelReplyBytes: 8 * MIB,
  /** Vectors: texts in one request, and the largest answer. 2,048 vectors of 3,072 numbers are 34 MB. */
  embeddingInputs: 2_048,
  embeddingReplyBytes: 40 * MIB,
  /** A vendor's list of models: how long it may take, how large it may be, how long it is believed. */
  modelListMs: 5 * SECOND_MS,
  modelListBytes: 2 * MIB,
  /** Offered models without a price that a listing names. */
  unpricedModels: 200,
  modelListTtlMs: 10 * MINUTE_MS,
  /** After a list that did not come. */
  modelListRetryMs: 30 * SECOND_MS,
  /** Ollama: the window that requests ask for unless the operator says otherwise; an 8B model takes some 2 GB for it. */
  ollamaContextTokens: 16_384,
  /** How long it keeps a model loaded after a call, so that the next step finds it and its prefix cache. */
  ollamaKeepAliveSeconds: 600,
  /** It answers when the first token is there, and loading the model comes before that. */
  ollamaHeadersMs: 4 * MINUTE_MS,
  /** Models whose windows one listing asks Ollama for. */
  ollamaShows: 32,
  /** A prompt with more bytes than this for each token that Ollama counted was cut by it. */
  ollamaBytesPerToken: 12,
  /** What is read of a vendor's error, and what of it is shown. */
  modelErrorBytes: 64 * KIB,
  modelErrorChars: 500,
  /** A shorter key is not searched for in what vendors say: it would be found in ordinary words. */
  secretChars: 8,
  backoffBaseMs: 500,
  backoffMaxMs: 60 * SECOND_MS,
  retryAfterMaxMs: 10 * MINUTE_MS,
  /** Models of one agent's list. */
  routedModels: 8,
  /** A model that was unavailable is passed over for this, where there is another. */
  routeAvoidMs: 5 * MINUTE_MS,
  /** A vendor that asks for a longer pause than this is as good as unavailable. */
  routePatienceMs: 10 * SECOND_MS,
  /** The batch lane: from reserving to the outcome, waiting in the queue included. Its reservation outlives it by `settleGraceMs`. */
  batchCallMs: 15 * MINUTE_MS,
  /** A message of the calls queue that nobody claimed is sent again after this, then after twice as long, and so on. */
  callResendMs: 5 * SECOND_MS,
  callSends: 8,
  /** A claimed call whose consumer was not heard for `claimMs` is lost; a consumer speaks every `claimBeatMs`. */
  claimMs: 30 * SECOND_MS,
  claimBeatMs: 12 * SECOND_MS,
  /** With less left of `batchCallMs` a call is not begun any more. */
  claimLeastMs: 30 * SECOND_MS,
  /** A consumer of the calls queue has 15 minutes: it claims in the first 10, and its calls end before the last half minute. */
  consumerClaimMs: 10 * MINUTE_MS,
  consumerMs: 14.5 * MINUTE_MS,
  /** Calls that stream side by side in one consumer, and how many of them may wait for headers: a Worker has six connections. */
  consumerCalls: 16,
  consumerHeaderWaits: 6,
  deliverTries: 3,
  /** The economy lane: from reserving to the outcome, which the vendor promises within a day, and collecting it. */
  economyCallMs: 26 * HOUR_MS,
  /** Calls of one model are gathered so long, from the first of them, before they go to the vendor as one batch. */
  economyGatherMs: 3 * SECOND_MS,
  /** So often an agent reminds the pool that has its call: the pool's alarm may be lost. */
  economyNudgeMs: 1 * HOUR_MS,
  /** Claims, or deliveries, side by side in one pool. */
  economyPeers: 16,
  /** Calls that one pool holds; those that come on top are sent again by their agents. */
  economyCalls: 5_000,
  /** Delay of a queue message that failed, doubled from delivery to delivery. */
  redeliverBaseMs: 2 * SECOND_MS,
  redeliverMaxMs: 5 * MINUTE_MS,
  /** How long the real bill of a call that nobody waits for any more may still arrive: the economy lane takes longest. */
  strayMs: 27 * HOUR_MS,
  toolCallsPerStep: 32,

  // --- vendor accounts
  /** How long a slice of an account's allowance lives; its holder renews it after `gateRenewMs`. */
  gateSliceMs: 10 * SECOND_MS,
  gateRenewMs: 6 * SECOND_MS,
  /** Requests and tokens that were lent are spent within this or given back. */
  gateCreditMs: 3 * SECOND_MS,
  /** Who got less than it wanted asks again after this, or later when the gate knows better. */
  gateAskMs: 500,
  /** What nobody uses any more is given back after this. */
  gateIdleMs: 1 * SECOND_MS,
  gateRpcMs: 3 * SECOND_MS,
  /** Holders that one gate remembers; who comes on top is told to ask again. */
  gateHolders: 1_000,
  /** The part of a minute's requests and tokens that may go out at once after a pause. */
  gateBurstShare: 0.05,
  /** Failures in a row, none of them excused by a success, that open an account's breaker. */
  breakerFailures: 5,
  breakerBaseMs: 1 * SECOND_MS,
  breakerMaxMs: 60 * SECOND_MS,
  /** While the one probe is under way, others ask again after this. */
  breakerProbeMs: 2 * SECOND_MS,
  /** A consumer of the calls queue waits so long for an account; for more, it puts its messages back. */
  consumerGateMs: 5 * SECOND_MS,
  /** A call of the OpenAI-compatible front, or of a batch job, waits so long in line for its account. */
  frontGateMs: 10 * SECOND_MS,
  jobGateMs: 5 * SECOND_MS,
  /** A call that passed a gate says so often that it is under way; who was not heard for a slice's time is gone. */
  gateBeatMs: 2 * SECOND_MS,
  /** Tenants times accounts of which an isolate remembers what it may do; idle ones go first. */
  gateDesks: 256,
  /** After so many deliveries a message that the gate refuses is let go: its agent sends the call again by itself. */
  consumerGatePutBacks: 4,
  toolArgumentBytes: 256 * KIB,
  /** Replies that are given again: how long, how large at most, how much of an isolate's memory. */
  cacheTtlMs: 24 * HOUR_MS,
  cacheReplyChars: 512 * KIB,
  cacheMemoryBytes: 16 * MIB,
  /** Who asks what another is asking waits for that answer at most so long, then asks by itself. */
  cacheFlightMs: 60 * SECOND_MS,
  /** `local/reader`: its window, and what one question may use. */
  readerWindowTokens: 1_000_000,
  readerOutputTokens: 4_096,
  /** A snippet in Chinese costs several times the tokens of one in English, and the result must stay in a small prompt. */
  readerSearchHits: 5,
  readerSearchHitsHan: 3,
  readerPageReads: 2,
  readerCitations: 5,
  readerQuoteChars: 400,
  readerReportChars: 4_000,
  readerChunkChars: 48,

  // --- batches (`POST /v1/batches`)
  batchRequests: 50_000,
  /** A body of JSON Lines; one of JSON ends at `requestBytes`. */
  batchBytes: 64 * MIB,
  /** One request, and one result: each stands in one row, and a row ends at 2 MB. */
  batchLineBytes: 1 * MIB,
  batchResultBytes: 1.5 * MIB,
  /** Requests handed to the job's object at once. */
  batchChunkBytes: 512 * KIB,
  batchCustomIdChars: 64,
  /** A job whose upload has not ended after this is erased. */
  batchUploadMs: 10 * MINUTE_MS,
  /** From its acceptance to its end; vendors take the same window. */
  batchWindowMs: 24 * HOUR_MS,
  /** After the window, how long what the vendor finished in time may still be collected. */
  batchCollectMs: 1 * HOUR_MS,
  /** Reservations or settlements in one transaction of the core. */
  batchMoneyRows: 250,
  /** A vendor's input file is sent from memory, so a job of more becomes several. */
  batchLotBytes: 16 * MIB,
  batchPollMinMs: 2 * SECOND_MS,
  batchPollMaxMs: 5 * MINUTE_MS,
  /** One request to a vendor's batch endpoints, its body included. */
  batchVendorMs: 2 * MINUTE_MS,
  /** A submission whose answer was lost is looked for at the vendor after this, because it may still be arriving there. */
  batchAdoptMs: 15 * SECOND_MS,
  /** Pages of the vendor's list that are looked through for it. */
  batchListPages: 50,
  /** The pool: requests in one wave, calls side by side (an object has six connections), and tries of one request. */
  batchPoolWave: 128,
  batchPoolCalls: 6,
  batchPoolTries: 5,
  /** A job that finds no room in a budget asks again after this. */
  batchQuotaMs: 30 * SECOND_MS,
  /** An alarm has 15 minutes: its rounds begin in the first 4, the pool begins calls for 4 more, and a call takes 5. */
  batchSliceMs: 4 * MINUTE_MS,
  batchPoolMs: 4 * MINUTE_MS,
  batchRounds: 10_000,
  /** So long after its end a job and its results are there; then both are erased. */
  batchKeepMs: 30 * 24 * HOUR_MS,
  /** A job that said nothing for this is asked by cron whether its alarm stands; cron looks once an hour, at so many jobs. */
  batchSilentMs: 1 * HOUR_MS,
  batchWakes: 500,
  /** Objects that R2 deletes in one request. */
  eraseKeys: 1_000,
  /** One object of the results in R2. */
  batchResultPartBytes: 4 * MIB,

  // --- context
  windowTokens: 128_000,
  windowTokensMin: 1_000,
  windowTokensMax: 2_000_000,
  pageTokens: 512,
  pageTokensMin: 64,
  pageTokensMax: 4_096,
  /** A text on its way into pages stands in memory, travels and is decoded in blocks of UTF-8. */
  blockBytes: 64 * KIB,
  /** Hot set: reclaim starts above `high` and goes down to `low` (parts of the window). */
  hotHighWatermark: 0.85,
  hotLowWatermark: 0.6,
  /** Warm set, bytes of content in the object's SQLite: spilling starts above `high` and goes down to `low`. */
  warmHighBytes: 2 * MIB,
  warmLowBytes: 1 * MIB,
  /** A writer waits for the spill itself (direct reclaim) above this. */
  warmHardBytes: 32 * MIB,
  segmentBytes: 1 * MIB,
  /** Segments written in one run of reclaim, and orphans deleted by it. */
  spillRounds: 64,
  sweepSegments: 100,
  /** Reads of the object store side by side: a Worker has six connections that wait for headers. */
  objectReads: 6,
  /** Lines of evicted pages shown in the prompt; older ones are one line with their number. */
  stubLines: 24,
  /** And all of them at most this part of the window. */
  stubShare: 0.12,
  /** The tokens kept for the reply take at most this part of the window. */
  replyShare: 0.25,
  /** An exchange takes at most this part of the window: what is larger in it becomes pages. */
  exchangeShare: 0.4,
  /** JSON of one exchange (assistant's message, tool calls, results): it stands in one row, and a row ends at 2 MB. */
  exchangeBytes: 1.5 * MIB,
  /** Demand paging before each model call: at most this part of the window and this long. */
  demandPagingShare: 0.25,
  demandPagingPages: 8,
  demandPagingMs: 1_500,
  /** A tool result over this part of the window becomes pages; its group keeps the reference. */
  resultShare: 0.125,
  searchMax: 50,
  /** Index entries that one search looks at term by term; of a more common term, its best pages only. */
  searchPostings: 4_000,
  searchBest: 200,
  /** Pages of a term that are looked at one by one. */
  searchRarePages: 16,
  /** With words that stand for the question's, all in all. */
  searchKindredPostings: 6_000,
  /** Rows fetched for one search at most, and words taken for one that is not indexed. */
  searchRows: 400,
  searchRelatives: 8,
  /** Pages that are read and ranked anew, and how long their reading may take. */
  rerankPages: 16,
  rerankMs: 500,
  searchDefault: 10,
  queryChars: 4_000,
  snippetChars: 240,
  /** Of a note whose writer did not say, 0-1. */
  importanceDefault: 0.5,

  // --- files
  filePathChars: 512,
  /** What the agents of a tenant share, in all. */
  sharedFiles: 2_000,
  sharedFileBytes: 256 * MIB,
  /** Pages that `/proc/map` names. */
  procPages: 200,
  fileBytes: 16 * MIB,
  /** Stored files are cut in pieces of this size: changing it needs a migration of `file_chunks`. */
  fileChunkBytes: 1 * MIB,
  fileListMax: 200,
  /** Earlier versions kept of one file; of all files of an agent; and their bytes, as far as the quota of file bytes leaves room. */
  fileVersions: 10,
  fileVersionsInAll: 1_000,
  fileVersionBytes: 32 * MIB,
  /** Keyed writes whose first answer is kept for a repeat. */
  fileWritesKept: 1_000,
  /** What `file_read` shows at once unless asked otherwise, and at most. */
  fileReadBytes: 32 * KIB,
  fileReadMaxBytes: 256 * KIB,

  // --- tools
  toolMs: 30 * SECOND_MS,
  toolsMax: 256,
  toolNameChars: 64,
  toolErrorChars: 1_000,
  /** JSON of one tool result; it stands in one row, and a row ends at 2 MB. */
  toolResultBytes: 1 * MIB,
  expressionChars: 1_000,
  expressionDepth: 64,
  /** Digits that `calculate` keeps: a result with more is rounded and says so. */
  expressionDigits: 100,
  /** Results and intermediate values lie between 1e-1000 and 1e1000. */
  expressionExponent: 1_000,
  /** Digits shown of a result that is not exact. */
  roundedDigits: 28,
  timeZoneChars: 64,
  questionChars: 4_000,
  questionOptions: 20,
  questionOptionChars: 200,

  // --- requests to the outside
  urlChars: 8_192,
  redirects: 5,
  /** One request of a tool, redirects and body included, and the longest silence within a body. */
  webMs: 30 * SECOND_MS,
  webIdleMs: 15 * SECOND_MS,
  /** What is read of a body, after decompression; the rest is cut. */
  webBodyBytes: 2 * MIB,
  /** What the model is shown of it, as text. */
  webTextChars: 256 * KIB,
  webTitleChars: 300,
  webRequestBytes: 256 * KIB,
  webHeaders: 32,
  webHeaderChars: 4 * KIB,
  /** Of a response: how many headers are shown, and how much of each. */
  webHeadersShown: 24,
  webHeaderShownChars: 500,
  /** Tries of a call whose receiver honours its key, before a person is asked what became of it. */
  keyedTries: 3,
  keyedBackoffMs: 1 * SECOND_MS,

  // --- people
  /** A call whose outcome nobody knows waits so long for somebody to find out. */
  parkedMs: 7 * 24 * HOUR_MS,
  /** A call that is held waits so long for a person's leave, and a leave that was given counts no longer than that. */
  approvalMs: 24 * HOUR_MS,
  /** A longer input is not shown whole, so nobody can approve it. */
  approvalInputBytes: 64 * KIB,
  /** Rules about approvals in one tenant. */
  approvalRules: 500,
  /** Messages that are looked through for a URL that somebody who may order wrote. */
  givenUrlMessages: 50,
  /** Entries of each kind in a report of what a process has read. */
  provenanceRows: 200,
  /** How deep the arguments of a call may nest. */
  argumentDepth: 64,
  /** What an approval shows of the input of an action whose outcome is not known. */
  actionInputChars: 4_000,
  noteChars: 2_000,

  // --- code in the sandbox
  codeChars: 64 * KIB,
  /** 100,000 turns of loops and calls inside the engine each; the constant says what one counts for as CPU time. */
  codeGas: 1_500,
  codeMsPerGas: 0.25,
  codeMemoryBytes: 32 * MIB,
  codeStackBytes: 256 * KIB,
  codeOutputBytes: 64 * KIB,
  codeMs: 10 * SECOND_MS,
  codeFileBytes: 1 * MIB,
  codeHostCalls: 256,
  codeWrites: 100,
  codeWriteBytes: 8 * MIB,
  codeRequests: 20,

  // --- watching
  eventReplayRows: 500,
  eventDataBytes: 16 * KIB,
  watchersPerAgent: 1_024,
  heartbeatMs: 15 * SECOND_MS,
  /** Events that a slow reader of the event stream may be behind; it is cut there and resumes by event id. */
  eventBacklogBytes: 1 * MIB,
  /** A waiting request that lost its socket looks again after this. */
  watchRetryMs: 1 * SECOND_MS,

  // --- local runtime and clients
  /** workerd answers what is in flight for at most this long when the runtime stops. */
  runtimeDrainMs: 3 * SECOND_MS,
  runtimePollMs: 10,
  runtimeStartMs: 60 * SECOND_MS,
  /** How often the local runtime says that workerd began anew, until it is heard. */
  bootNoticeTries: 5,
  /** A client's request, tries included; routes that wait add what they wait. */
  clientRequestMs: 30 * SECOND_MS,
  /** A client's upload, download, or a chain verified. */
  clientBulkMs: 2 * MINUTE_MS,
  clientTries: 3,
  /** A longer text is uploaded in parts: as JSON, a UTF-16 unit takes at most 6 bytes, and the request limit holds. */
  uploadChars: 2 * MIB,
  clientBackoffMs: 200,
  /** Cut connections in a row after which a watcher of events gives up. */
  watchFailures: 5,
} as const;
