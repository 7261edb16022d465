/** The SDK of AOS-Kernel: `import { AgentOSKernel } from "agent-os-kernel"`. */

export type { Fault, Page, PageEntry, PagePatch, PagesBody, SearchHit, Tier } from "../../kernel/context/page.ts";
export type { BatchView } from "../../kernel/llm/batch/job-state.ts";
export type { StepView } from "../../kernel/log/journal.ts";
export type { TrailReport } from "../../kernel/log/verification.ts";
export type { ControlBlock } from "../../kernel/process/block.ts";
export type { MessageView, Signal } from "../../kernel/process/message.ts";
export type { ProcessPatch, ProcessSpec } from "../../kernel/process/spec.ts";
export type { ApprovalRule, RuleSpec } from "../../kernel/scheduler/approval-rules.ts";
export type { CostGroup, CostReport, CostRow } from "../../kernel/scheduler/costs.ts";
export type { FileEntry } from "../../kernel/storage/driver.ts";
export { AgentOSKernel, type EmbeddedOptions, isSettled } from "./agent-os-kernel.ts";
export { AosError } from "./client/aos-error.ts";
export type { Action, Approval, Decision, DecisionOptions } from "./client/approvals.ts";
export type { BatchEntry, BatchRequestSpec, BatchResult } from "./client/batches.ts";
export { KernelClient } from "./client/client.ts";
export type { CredentialInfo, CredentialSpec } from "./client/credentials.ts";
export type { DeadLetter } from "./client/dead-letters.ts";
export type { AgentEvent, WatchOptions } from "./client/events.ts";
export type { IssuedKey, KeyInfo, KeyRole, KeySpec } from "./client/keys.ts";
export type { AuditEntry } from "./client/ledger.ts";
export type { Listing, ListOptions } from "./client/listing.ts";
export type { SentMessage } from "./client/messages.ts";
export type { QuotaMeter, TenantQuotas } from "./client/quotas.ts";
export type { Tenant } from "./client/tenants.ts";
export type { ToolInfo } from "./client/tools.ts";
export type { Endpoint } from "./client/transport.ts";
export { RuntimeError, type RuntimeErrorCode } from "./runtime/runtime-error.ts";
