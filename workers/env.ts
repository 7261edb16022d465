import type { ObjectEnv } from "../durable-objects/env.ts";

/** What the Worker is given: what the objects are, and the bindings and variables that concern the Worker alone. */
export interface Env extends ObjectEnv {
  /** The console's files. Absent where nothing serves them. */
  ASSETS?: Fetcher;

  /** Replies of models that all isolates share. */
  CACHE?: KVNamespace;

  /** Makes isolates for programs, where `AOS_SANDBOX` is `loader`. */
  LOADER?: WorkerLoader;
  AOS_SANDBOX?: string;

  AOS_STORAGE?: string;
  AOS_EGRESS_ALLOW?: string;
}
