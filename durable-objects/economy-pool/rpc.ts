import type { Result } from "../../kernel/errors.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";

/** What an `EconomyPool` object answers by RPC. */
export interface EconomyPoolRpc {
  /** Takes the call in; again, for the same call, changes nothing. `unavailable` when the pool is full: ask again later. */
  ask(message: CallMessage): Promise<Result<null>>;
}
