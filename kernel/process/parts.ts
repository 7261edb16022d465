import type { ContextManager } from "../context/context-manager.ts";
import type { IdempotencyKeys } from "../idempotency.ts";
import type { Providers } from "../llm/providers.ts";
import type { Log } from "../log/log.ts";
import type { PlatformUsage } from "../platform/platform-usage.ts";
import type { Clock, Hash, Random } from "../ports.ts";
import type { Asked, RuleWord } from "../scheduler/approval-rules.ts";
import type { AgentReport, GrantReply, GrantRequest } from "../scheduler/grant.ts";
import type { CredentialStore } from "../security/credential.ts";
import type { Egress } from "../security/egress.ts";
import type { Sandbox } from "../security/sandbox/sandbox.ts";
import type { Mounts } from "../storage/mounts.ts";
import type { Room } from "../storage/room.ts";
import type { Syscall } from "../syscall.ts";
import type { Transactions } from "../transactions.ts";
import type { CallMessage } from "./call-message.ts";
import type { FileLabels } from "./file-labels.ts";
import type { Mailbox } from "./mailbox.ts";
import type { PendingCalls } from "./pending.ts";
import type { ProcessStore } from "./process-store.ts";
import type { Stored } from "./spec.ts";
import type { Strays } from "./strays.ts";

/** The tenant's core, as an agent sees it. Every call has a deadline; a core that does not answer is `null`. */
export interface CorePort {
  settleAndGrant(report: AgentReport, next: GrantRequest | null): Promise<GrantReply | null>;
  /** What the operator's rules say of an action now; null = nothing, or the core does not answer. Never kept. */
  ruleFor(agentId: string, asked: Asked): Promise<RuleWord | null>;
}

/** The one alarm of the object. Takes part in the transaction around it. */
export interface AlarmPort {
  /** Milliseconds since the epoch, or null for none. */
  set(at: number | null): void;
}

/** The calls queue. At least once, in any order, or never: whoever sends counts on nothing. */
export interface CallQueue {
  /** Within a deadline; a message that was not taken is as good as lost. */
  send(message: CallMessage): Promise<void>;
}

/** Text of a reply while it arrives: shown to watchers, never stored. */
export interface LiveText {
  begin(callId: string): void;
  delta(callId: string, text: string): void;
  end(callId: string): void;
}

/** What one agent's process is made of. The shell makes it in one place. */
export interface AgentParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly hash: Hash;
  readonly tx: Transactions;
  readonly log: Log;
  readonly process: ProcessStore;
  readonly mailbox: Mailbox;
  readonly pending: PendingCalls;
  readonly strays: Strays;
  readonly idempotency: IdempotencyKeys;
  readonly context: ContextManager;
  readonly fileLabels: FileLabels;
  readonly files: Mounts;
  /** What the quotas leave for pages and files. */
  readonly room: Room;
  /** Pages and files as they stand. */
  stored(): Stored;
  /** What the process took of the platform, as far as it was counted. */
  platform(): PlatformUsage;
  readonly syscalls: Readonly<Record<string, Syscall>>;
  readonly providers: Providers;
  readonly egress: Egress;
  readonly credentials: CredentialStore;
  readonly sandbox: Sandbox;
  readonly core: CorePort;
  readonly calls: CallQueue;
  readonly alarm: AlarmPort;
  readonly live: LiveText;
  /** Version of the running code: deaths under another version do not count. */
  readonly version: string;
}
