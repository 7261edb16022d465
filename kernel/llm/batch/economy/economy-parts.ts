import type { Result } from "../../../errors.ts";
import type { Clock } from "../../../ports.ts";
import type { ClaimedCall } from "../../../process/batch-calls.ts";
import type { CallMessage } from "../../../process/call-message.ts";
import type { Transactions } from "../../../transactions.ts";
import type { ChatOutcome } from "../../provider.ts";
import type { BatchDrivers } from "../drivers.ts";
import type { EconomyTables } from "./economy-tables.ts";

/** The agents whose calls these are. Null = the agent did not answer in time; repeating is harmless. */
export interface CallersPort {
  claim(message: CallMessage): Promise<Result<ClaimedCall> | null>;
  deliver(message: CallMessage, outcome: ChatOutcome): Promise<Result<null> | null>;
  /** There is no Batch API, and no call was made. */
  decline(message: CallMessage): Promise<Result<null> | null>;
}

/** What an economy pool works with: made in one place by its object, and by stories. */
export interface EconomyParts {
  readonly tenant: string;
  /** `provider/model` of all calls. */
  readonly model: string;
  readonly tx: Transactions;
  readonly tables: EconomyTables;
  readonly clock: Clock;
  readonly drivers: BatchDrivers;
  readonly callers: CallersPort;
}
