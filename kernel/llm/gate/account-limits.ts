import * as z from "zod";

/**
 * What the operator allows this kernel to ask of each vendor account. The defaults bound only calls side by side, because what a
 * minute may hold depends on the contract with the vendor: `OPENAI_LIMITS` and its like say it.
 */

export interface AccountLimits {
  /** Model calls under way at once, over all tenants. */
  concurrency: number;
  /** Null = the operator set no limit; the vendor's own shows as 429. */
  requestsPerMinute: number | null;
  /** Prompt as estimated plus the longest reply allowed, as vendors count before they answer. Null as above. */
  tokensPerMinute: number | null;
}

const UNMETERED = { requestsPerMinute: null, tokensPerMinute: null };

/** The accounts that have a gate. `local/*` never leaves its isolate and needs none. */
export const ACCOUNTS = {
  openai: { concurrency: 1_000, ...UNMETERED },
  deepseek: { concurrency: 500, ...UNMETERED },
  kimi: { concurrency: 200, ...UNMETERED },
  // The operator's own machine: it queues what its graphics card cannot take.
  ollama: { concurrency: 16, ...UNMETERED },
} as const satisfies Record<string, AccountLimits>;

export type Account = keyof typeof ACCOUNTS;

export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as Account[];

/** What such a variable takes, in words for the operator. */
export const LIMITS_TAKE =
  "one or more of concurrency, requestsPerMinute and tokensPerMinute, such as concurrency=8,requestsPerMinute=600";

const count = z.coerce.number<string>().int().min(1).max(1_000_000_000);
const limits = z.strictObject({ concurrency: count, requestsPerMinute: count, tokensPerMinute: count }).partial();

/** The value of a variable such as `OPENAI_LIMITS`. */
export const limitsText = z.string().transform((text, context): Partial<AccountLimits> => {
  const words = text.split(",").map((word) => word.trim().split("="));
  const names = new Set(words.map(([name]) => name));
  const parsed = limits.safeParse(Object.fromEntries(words));
  if (parsed.success && names.size === words.length && words.every((word) => word.length === 2))
    return given(parsed.data);
  context.addIssue({ code: "custom", message: LIMITS_TAKE });
  return z.NEVER;
});

/** The limits of `account`: what `env` says over the defaults. Throws for a value that the start of a shell refuses. */
export function limitsOf(account: Account, env: Readonly<Record<string, string | undefined>>): AccountLimits {
  const text = env[`${account.toUpperCase()}_LIMITS`]?.trim();
  return { ...ACCOUNTS[account], ...(text ? limitsText.parse(text) : {}) };
}

export function isAccount(provider: string): provider is Account {
  return Object.hasOwn(ACCOUNTS, provider);
}

function given(data: z.output<typeof limits>): Partial<AccountLimits> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
