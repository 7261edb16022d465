import { LIMITS } from "../../limits.ts";
import { free, type Vendor } from "../vendor.ts";

/** The embedded `local/reader`. The address does not exist: `providers.ts` hands its requests to the reader itself. */
export const local: Vendor = {
  name: "local",
  baseUrl: "http://local-reader.invalid/v1",
  keyVariables: [],
  baseUrlVariable: "",
  defaultModel: "reader",
  models: {
    reader: {
      contextTokens: LIMITS.readerWindowTokens,
      maxOutputTokens: LIMITS.readerOutputTokens,
      price: free("local-reader"),
      deterministic: true,
    },
  },
  anyModel: null,
  maxTokensField: "max_tokens",
  userField: null,
  echoesReasoning: false,
  takesTemperature: () => false,
  extraFields: () => ({}),
  cachedTokensFields: [],
};
