import type { KernelError, Result } from "../../errors.ts";
import type { Clock, Hash, ObjectStore } from "../../ports.ts";
import type { GrantRequest, Reservation, Settlement } from "../../scheduler/grant.ts";
import type { Transactions } from "../../transactions.ts";
import type { BatchDrivers } from "./drivers.ts";
import type { BatchView } from "./job-state.ts";
import type { JobTables } from "./job-tables.ts";

/** Reservations in the order in which they were asked for, up to the first that does not fit; `refused` says why. */
export interface OpenedCalls {
  opened: Reservation[];
  refused: KernelError | null;
}

/** The tenant's core, for money. Null = it did not answer in time; repeating is harmless. */
export interface CallsPort {
  open(requests: readonly GrantRequest[]): Promise<Result<OpenedCalls> | null>;
  settle(settlements: readonly Settlement[]): Promise<Result<null> | null>;
}

/** The list of jobs. False = it did not take the row; it is told again. */
export interface JobListPort {
  note(view: BatchView): Promise<boolean>;
}

/** What a batch job works with: made in one place by its object, and by stories. */
export interface JobParts {
  readonly tenant: string;
  readonly tx: Transactions;
  readonly tables: JobTables;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly drivers: BatchDrivers;
  readonly calls: CallsPort;
  readonly list: JobListPort;
  readonly objects: ObjectStore;
}
