import { LIMITS } from "../../limits.ts";
import { type ChatVendor, free } from "../vendor.ts";

/** The embedded `local/reader`. The address does not exist: `providers.ts` hands its requests to the reader itself. */
export const local: ChatVendor = {
  name: "local",
  baseUrl: "http://local-reader.invalid/v1",
  keyVariables: [],
  baseUrlVariable: "",
  defaultModel: "reader",
  models: {
    reader: {
      contextTokens: LIMITS.readerWindowTokens,
      maxOutputTokens: LIMITS.readerOutputTokens,
      capabilities: { tools: true, vision: false, reasoning: false, prefill: false, json: false },
      price: free("local-reader"),
      deterministic: true,
    },
  },
  anyModel: null,
  maxTokensField: "max_tokens",
  userField: null,
  reasoningEcho: { on: "never", missing: "" },
  refusedFields: [],
  prefill: null,
  temperatures: () => null,
  extraFields: () => ({}),
  cachedTokensFields: [],
};
