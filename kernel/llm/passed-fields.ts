/**
 * Parameters of a chat completion that mean the same to every vendor or are ignored by it, so that the kernel hands them on
 * as a client set them. What bounds the bill (`max_tokens`, `n`) and what the kernel itself decides (`stream`) is not among them.
 */
export const PASSED_FIELDS = [
  "frequency_penalty",
  "logit_bias",
  "parallel_tool_calls",
  "presence_penalty",
  "prompt_cache_key",
  "reasoning_effort",
  "response_format",
  "seed",
  "stop",
  "tool_choice",
  "top_p",
  "verbosity",
] as const;
