import type { BodyEnd } from "./body-reader.ts";
import type { Completion, VendorError } from "./wire.ts";

/** One thing that a vendor's stream says, whatever protocol it speaks. The last frame of a stream is `done` or `end`. */
export type ReplyFrame =
  | { type: "chunk"; chunk: Completion }
  /** The vendor's terminal event: nothing is missing. */
  | { type: "done" }
  /** The vendor reports that it failed, under a status that said otherwise. */
  | { type: "error"; error: VendorError }
  | { type: "malformed"; problem: string }
  /** The body ended, in order or not, without the terminal event. */
  | { type: "end"; why: BodyEnd };
