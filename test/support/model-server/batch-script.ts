/** What tests tell the scripted Batch API to do, and what it says that it saw. Plain JSON. */

export interface BatchScript {
  /** From the creation of a batch to its end. */
  processMs?: number;
  /** Every n-th request gets an error instead of a reply. */
  failEvery?: number;
  /** The batch expires when so many requests are done. */
  expireAfter?: number;
  /** It never ends by itself. A cancelled one has done half of its requests. */
  hold?: boolean;
  /** What happens to the next creations, one each. */
  creations?: CreationFault[];
  /** There are no batch endpoints here. */
  absent?: boolean;
  /** The next downloads break off in the middle. */
  cutDownloads?: number;
}

export type CreationFault =
  /** The batch is created and the connection dies before the answer. */
  | "lose_answer"
  /** The connection dies before anything is created. */
  | "lose_request"
  /** 429, nothing created. */
  | "rate_limit"
  /** The batch is created and then refused as a whole. */
  | "invalid_file"
  /** The same, because too much waits already. */
  | "token_limit";

export interface BatchUsage {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

/** One batch as the vendor's books have it: the oracle of what was submitted and what is billed. */
export interface BilledBatch {
  id: string;
  tag: string;
  status: string;
  requests: number;
  /** Replies that are in the output file: these are billed. */
  bills: { customId: string; usage: BatchUsage }[];
}
