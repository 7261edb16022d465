import type { KernelError, Result } from "../../errors.ts";

/** How a call ended, as far as the gate of its account wants to know. */
export type CallEnd = { ok: true } | { ok: false; error: KernelError };

/** Leave to make one call. Whoever has it gives it back. */
export interface Pass {
  /** The account's last call failed: this one is sent so that a dead connection is known to have cost nothing. */
  readonly careful: boolean;
  /** With the call's end, or null when it was not made. Once. */
  end(outcome: CallEnd | null): Promise<void>;
}

/** Who wants to call what. */
export interface PassWish {
  tenant: string;
  /** `provider/model`. */
  model: string;
  /** What the call counts for against the account's tokens a minute. */
  tokens?: number | undefined;
}

/**
 * The way through the gates of vendor accounts, for whoever is no tenant's core. It waits at most `waitMs`; a refusal says in
 * `retryAfterMs` how long the account wants to be left alone, and by its code why: `rate_limited` = our own limits,
 * `provider_rate_limited` = the vendor's, `unavailable` = the vendor fails or the gate does not answer.
 */
export interface Gateway {
  enter(wish: PassWish, waitMs: number): Promise<Result<Pass>>;
}
