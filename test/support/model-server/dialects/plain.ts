import { completionShapes, openAiUsage } from "./completion.ts";
import type { Dialect } from "./dialect.ts";

/** A server that speaks chat completions and refuses nothing: what most stories need. */
export function plain(): Dialect {
  return {
    ...completionShapes({ usage: openAiUsage, usageIn: "chunk", unasked: true }),
    name: "",
    serves: (path) => path.endsWith("/chat/completions"),
    list: () => null,
    refusal: () => null,
    prefix: () => "",
    cached: () => 0,
    spendCap: {
      status: 429,
      message: "You exceeded your current quota",
      type: "insufficient_quota",
      code: "insufficient_quota",
    },
  };
}
