import type { Fault, Page, PageEntry, PagePatch, PagesMessage, SearchHit, Tier } from "../../kernel/context/page.ts";
import type { Result } from "../../kernel/errors.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import type { ChainEnd } from "../../kernel/log/chain.ts";
import type { StepView } from "../../kernel/log/journal.ts";
import type { ChainReport, LogEntry } from "../../kernel/log/log.ts";
import type { Archived, ArchiveOrder } from "../../kernel/log/segment-lines.ts";
import type { ClaimedCall } from "../../kernel/process/batch-calls.ts";
import type { Birth } from "../../kernel/process/birth.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import type { MessageView, Signal } from "../../kernel/process/message.ts";
import type { Verdict } from "../../kernel/process/parking.ts";
import type { ProvenanceReport } from "../../kernel/process/provenance.ts";
import type { ProcessPatch } from "../../kernel/process/spec.ts";
import type { Standing } from "../../kernel/scheduler/standing.ts";
import type { LabelInput } from "../../kernel/security/label.ts";
import type { FileEntry, FileVersion } from "../../kernel/storage/driver.ts";

/** One page of a list; `nextCursor` is null at its end. Cursors are opaque. */
export interface Listing<T> {
  items: T[];
  nextCursor: string | null;
}
export interface ListOptions {
  limit: number;
  cursor?: string | undefined;
}

/** Who asks, as the log records it: `key:<id>`, `agent:<id>` or `kernel`. */
export type Actor = string;

/**
 * What an `AgentProcess` object answers by RPC. Every method answers `not_found` when no process was ever spawned in the
 * object or it was erased, and touches nothing then. Its `fetch` takes a WebSocket upgrade: see watch.ts.
 */
export interface AgentRpc {
  block(): Promise<Result<ControlBlock>>;

  /** Durable when it answers. `mailbox_full` over the limit, `process_terminated` when nobody will read it. */
  send(
    input: { content: string; actor: Actor; idempotencyKey?: string } & LabelInput,
  ): Promise<Result<{ messageId: string }>>;
  messages(options: ListOptions): Promise<Result<Listing<MessageView>>>;
  message(messageId: string): Promise<Result<MessageView>>;
  /** Cancels a queued or running message; `conflict` when it has ended. */
  cancelMessage(messageId: string, actor: Actor): Promise<Result<MessageView>>;

  /** `process_terminated` when there is nothing left to signal. */
  signal(signal: Signal, actor: Actor): Promise<Result<{ state: ControlBlock["state"] }>>;

  /** `idempotencyKey` replays the first answer for 24 h, as in `send`. */
  addPages(
    input: PagesMessage,
    actor: Actor,
    options?: { idempotencyKey?: string | undefined },
  ): Promise<Result<{ pages: { id: string; tokens: number }[] }>>;
  pages(options: ListOptions & { tier?: Tier | undefined }): Promise<Result<Listing<PageEntry>>>;
  /** A peek: changes nothing. */
  page(pageId: string): Promise<Result<Page>>;
  touchPage(pageId: string, actor: Actor): Promise<Result<{ page: Page; fault: Fault }>>;
  searchPages(query: string, limit: number): Promise<Result<{ items: SearchHit[] }>>;
  patchPage(pageId: string, patch: PagePatch, actor: Actor): Promise<Result<PageEntry>>;
  forgetPage(pageId: string, actor: Actor): Promise<Result<null>>;

  /** Paths are absolute in the agent's mounts (`/workspace/a.txt`); relative ones start at `/workspace`. */
  files(options: ListOptions & { prefix?: string | undefined }): Promise<Result<Listing<FileEntry>>>;
  /** With `version`, an earlier one that is kept, also of a file that was deleted. */
  readFile(path: string, version?: number): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>>;
  /** Earlier versions that are kept, newest first. */
  fileVersions(path: string): Promise<Result<FileVersion[]>>;
  /** Writes an earlier version again, as a new one. */
  rollbackFile(path: string, version: number, actor: Actor): Promise<Result<FileEntry>>;
  /** `ifVersion: 0` = only when absent. `version_conflict` when somebody changed it first. */
  writeFile(
    path: string,
    bytes: Uint8Array,
    options: { ifVersion?: number | undefined } & LabelInput,
    actor: Actor,
  ): Promise<Result<FileEntry>>;
  deleteFile(path: string, actor: Actor): Promise<Result<null>>;

  /** What it has read, what that kept it from doing, and what its pages and files carry. */
  provenance(): Promise<Result<ProvenanceReport>>;

  /** The journal: what each step asked of the model and the tools, and what it cost. */
  steps(options: ListOptions): Promise<Result<Listing<StepView>>>;
  /** Log entries after `after`, at most `limit`. */
  log(options: { after: number; limit: number }): Promise<Result<{ entries: LogEntry[]; head: number }>>;
  audit(
    options: ListOptions & { action?: string | undefined; from?: string | undefined },
  ): Promise<Result<Listing<LogEntry>>>;
  /** `known`: places of the chain that are written down elsewhere, in order. */
  verify(known?: readonly ChainEnd[]): Promise<Result<ChainReport>>;
}

/** What the consumer of the calls queue asks of an agent: see kernel/process/batch-calls.ts. */
export interface AgentCalls {
  /** `conflict` when the call ended or somebody has it. `delivery` counts the queue's deliveries of this one message. */
  claimCall(message: CallMessage, delivery: number): Promise<Result<ClaimedCall>>;
  /** The claimed call is still being made; `conflict` when nobody waits for it any more. */
  renewCall(callId: string, attempt: number): Promise<Result<null>>;
  /** Exactly once: a second delivery touches nothing. `joinedTo` = that call's outcome, which pays for it. */
  deliverCall(callId: string, attempt: number, outcome: ChatOutcome, joinedTo?: string): Promise<Result<null>>;
  /** The economy pool finds no Batch API: nothing was called, and the process goes on in the batch lane. */
  declineCall(callId: string, attempt: number): Promise<Result<null>>;
}

/** What the core of its tenant asks of an agent. */
export interface AgentOrders extends Pick<AgentRpc, "signal"> {
  /** Begins the process; again with the same birth answers its block. */
  create(birth: Birth): Promise<Result<ControlBlock>>;
  /** There is a slot, or room in a budget: ask the core again. */
  run(): Promise<Result<null>>;
  /** A person's answer to the question that call `callId` asked. */
  answer(callId: string, answer: string, actor: Actor): Promise<Result<null>>;
  /** A person's word about a call whose outcome nobody knew; `conflict` when it is about anything else. */
  decide(verdict: Verdict, actor: Actor): Promise<Result<null>>;
  patch(patch: ProcessPatch, actor: Actor, standing?: Standing): Promise<Result<ControlBlock>>;
  /** Sends a call that the queue could not deliver once more; `conflict` when it ended or a consumer has it. */
  resendCall(callId: string, actor: Actor): Promise<Result<null>>;
  /** Sets the alarm when there is work and none stands: the platform gives one up that died too often. */
  revive(): Promise<Result<{ dueInMs: number | null }>>;
  /** The calls queue forgot its messages and lost its consumers; it began anew at `beganAt`, milliseconds since the epoch. */
  queueLost(beganAt: number): Promise<Result<null>>;
  /**
   * Ends the process for good: whatever answers, from then on it is `not_found` to everybody else. Settles its calls and
   * answers the end of its chain; `unavailable` while something is still under way. Again, it answers the same.
   */
  close(actor: Actor): Promise<Result<{ head: string; entries: number }>>;
  /** Puts the ordered entries of the log into R2. Again, it writes the same. A closed process answers too. */
  archive(order: ArchiveOrder): Promise<Result<Archived>>;
  /** Drops log entries up to `seq`, the end of a checkpoint; nothing when the log ends there. */
  dropLog(seq: number): Promise<Result<null>>;
  /** Erases a closed process in every tier; resumable. `not_found` when nothing is left. */
  wipe(): Promise<Result<null>>;
}
