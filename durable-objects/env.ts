import type { AgentProcess } from "./agent/agent-process.ts";
import type { BatchJob } from "./batch-job/batch-job.ts";
import type { KernelCore } from "./core/kernel-core.ts";
import type { EconomyPool } from "./economy-pool/economy-pool.ts";
import type { ProviderGate } from "./provider-gate/provider-gate.ts";
import type { SharedFiles } from "./shared-files/shared-files.ts";

/** What the objects are given: their bindings of wrangler.toml, and the variables of the outside contract that concern models. */
export interface ObjectEnv {
  AGENTS: DurableObjectNamespace<AgentProcess>;
  CORES: DurableObjectNamespace<KernelCore>;
  GATES: DurableObjectNamespace<ProviderGate>;
  BATCHES: DurableObjectNamespace<BatchJob>;
  ECONOMY: DurableObjectNamespace<EconomyPool>;
  SHARED: DurableObjectNamespace<SharedFiles>;
  DB: D1Database;
  PAGES: R2Bucket;
  CALLS: Queue;

  /**
   * A network without private addresses, judged after names are resolved. The local runtime binds it; deployed, the platform's
   * own network is one.
   */
  PUBLIC_NETWORK?: Fetcher;

  /** Seals credentials; the one before it still opens what it sealed. */
  AOS_SECRETS_KEY?: string;
  AOS_SECRETS_KEY_PREVIOUS?: string;
  AOS_EGRESS_ALLOW?: string;
  AOS_KEYED_HOSTS?: string;
  AOS_DEFAULT_MODEL?: string;
  OPENAI_API_KEY?: string;
  OPENAI_BASE_URL?: string;
  DEEPSEEK_API_KEY?: string;
  DEEPSEEK_BASE_URL?: string;
  KIMI_API_KEY?: string;
  MOONSHOT_API_KEY?: string;
  KIMI_BASE_URL?: string;
  OLLAMA_BASE_URL?: string;
  OPENAI_LIMITS?: string;
  DEEPSEEK_LIMITS?: string;
  KIMI_LIMITS?: string;
  OLLAMA_LIMITS?: string;
  OLLAMA_CONTEXT_TOKENS?: string;
  AOS_MODEL_PRICES?: string;
  /** The bootstrap key. Without it no request is let in. */
  AOS_ADMIN_KEY?: string;
  AOS_AUDIT_KEY?: string;
  AOS_AUDIT_RETENTION_DAYS?: string;
}

/** The string variables of an environment: what a parser of variables may see, without the bindings. */
export function variablesOf(env: ObjectEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
