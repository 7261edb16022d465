import type { Result } from "../../kernel/errors.ts";
import type { GateView, LeaseReply, LeaseRequest } from "../../kernel/llm/gate/lease.ts";

/** What the gate of a vendor account answers by RPC. */
export interface GateRpc {
  /** `unavailable` when the gate's tables could not be laid: nothing may be asked of the vendor then. */
  lease(request: LeaseRequest): Promise<Result<LeaseReply>>;
  view(): Promise<Result<GateView>>;
}
