import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { HOST_RULE, isHostRule } from "../security/host-rules.ts";
import { DENIED_PATH, isDeniedPath, isPathRule, PATH_RULE } from "../security/path-rules.ts";

/** What a process is asked to be: the body of spawn, validated once at the edge and stored as it was accepted. */

export const PERMISSION_LEVELS = ["RESTRICTED", "STANDARD", "ADVANCED", "FULL"] as const;
export type PermissionLevel = (typeof PERMISSION_LEVELS)[number];

/**
 * How model calls are made: `interactive` = by the agent's own object, at once; `batch` = through the calls queue, while the
 * object sleeps; `economy` = through the vendor's Batch API at its lower price, within a day. Where the vendor has none, `economy`
 * is like `batch`.
 */
export const LANES = ["interactive", "batch", "economy"] as const;
export type Lane = (typeof LANES)[number];

/** Which of `models` is called: `fallback` = the first that is available; `cheapest` = the one whose call costs least. */
export const ROUTING_RULES = ["fallback", "cheapest"] as const;
export type RoutingRule = (typeof ROUTING_RULES)[number];
/** What a model has to be able to do; tools are needed when there are any. */
export const NEEDS = ["tools", "vision", "reasoning", "json"] as const;
export type Need = (typeof NEEDS)[number];

export const QUOTA_NAMES = [
  "tokens",
  "nanoUsd",
  "steps",
  "wallMs",
  "cpuMs",
  "pages",
  "pageBytes",
  "files",
  "fileBytes",
  "children",
  "depth",
  "requestsPerMinute",
] as const;
export type QuotaName = (typeof QUOTA_NAMES)[number];

/** What a process has stored: meters that stand where they stand, whatever the hour. */
export const STORED_NAMES = ["pages", "pageBytes", "files", "fileBytes"] as const;
export type StoredName = (typeof STORED_NAMES)[number];
export type Stored = Record<StoredName, number>;
/** Quotas of what is there now; an hour or a day means nothing to them. */
const STANDING_NAMES: readonly QuotaName[] = [...STORED_NAMES, "children", "depth"];

/** The periods that meters are counted in. */
export const METER_PERIODS = ["minute", "hour", "day", "total"] as const;
export type MeterPeriod = (typeof METER_PERIODS)[number];

const amount = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** A limit in total, or one per UTC hour or day. */
export const quotaLimit = z.union([amount, z.strictObject({ limit: amount, per: z.enum(["hour", "day", "total"]) })]);
export type QuotaLimit = z.infer<typeof quotaLimit>;

/** The limit and the period that it is counted in, however it was written. */
export function limitOf(name: QuotaName, quota: QuotaLimit): { limit: number; per: MeterPeriod } {
  const { limit, per } = typeof quota === "number" ? { limit: quota, per: "total" as const } : quota;
  if (name === "requestsPerMinute") return { limit, per: "minute" };
  return { limit, per: STANDING_NAMES.includes(name) ? "total" : per };
}

export const quotas = z.strictObject(
  Object.fromEntries(QUOTA_NAMES.map((name) => [name, quotaLimit.optional()])) as Record<
    QuotaName,
    z.ZodOptional<typeof quotaLimit>
  >,
);
export type Quotas = z.infer<typeof quotas>;

export const priority = z.int().min(0).max(LIMITS.priorityMax);
export const name = z.string().min(1).max(LIMITS.nameChars);
export const permissionLevel = z.enum(PERMISSION_LEVELS);

export const contextConfig = z.strictObject({
  windowTokens: z.int().min(LIMITS.windowTokensMin).max(LIMITS.windowTokensMax).optional(),
  pageTokens: z.int().min(LIMITS.pageTokensMin).max(LIMITS.pageTokensMax).optional(),
  replacement: z.enum(["lru"]).optional(),
});

export const credentialName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "1 to 63 of a-z, 0-9, dot, hyphen and underscore, a letter or digit first");

const toolNames = z.array(z.string().min(1).max(LIMITS.nameChars)).max(256);
const hostRules = z.array(z.string().refine(isHostRule, HOST_RULE)).max(256);

/** What a process may use beyond what its level says for all; of files, what it may use at most. */
export const grants = z.strictObject({
  tools: toolNames.optional(),
  /** Hosts that its requests may go to: `host`, `host:port`, or `*.host` for all below it. */
  hosts: hostRules.optional(),
  /** Files and folders that it sees, `:ro` at the end of those that it only reads; absent = all that its level allows. */
  paths: z.array(z.string().refine(isPathRule, PATH_RULE)).max(256).optional(),
  /** Names of the tenant's credentials that its requests may carry. */
  credentials: z.array(credentialName).max(LIMITS.credentialsMax).optional(),
});
export type Grants = z.infer<typeof grants>;

/** What a process may not use, whatever its level and its grants say. A child has at least its parent's. */
export const denials = z.strictObject({
  tools: toolNames.optional(),
  hosts: hostRules.optional(),
  /** Files and folders that it does not see. */
  paths: z.array(z.string().refine(isDeniedPath, DENIED_PATH)).max(256).optional(),
});
export type Denials = z.infer<typeof denials>;

/** Tools that ask a person before each call, whatever the level. */
export const asking = z.strictObject({
  tools: toolNames.optional(),
});

const spec = z.strictObject({
  name,
  role: z.string().min(1).max(LIMITS.nameChars),
  goal: z.string().min(1).max(LIMITS.textChars),
  /** `provider/model`; absent = the kernel's default model. */
  model: z.string().min(1).max(LIMITS.nameChars).optional(),
  /** Several, in order of preference, instead of `model`; `routing` says which of them is called. */
  models: z.array(z.string().min(1).max(LIMITS.nameChars)).min(1).max(LIMITS.routedModels).optional(),
  /** Only with `models`; absent = `fallback`. */
  routing: z.enum(ROUTING_RULES).optional(),
  /** Only with `models`: others than those that can do all of this are not called. */
  needs: z.array(z.enum(NEEDS)).max(NEEDS.length).optional(),
  /** 0-99, lower runs first. */
  priority: priority.optional(),
  permissionLevel: permissionLevel.optional(),
  quotas: quotas.optional(),
  /** Names of the tools offered to the model; absent = its parent's, or all that the level allows. */
  tools: toolNames.optional(),
  /** A daemon waits for messages when its goal is done; any other process terminates with its result. */
  daemon: z.boolean().optional(),
  parentId: z.string().optional(),
  locationHint: z.enum(["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"]).optional(),
  /** RFC 3339; the process is ended with `exit.reason = deadline` when it passes. */
  deadline: z.iso.datetime({ offset: true }).optional(),
  instructions: z.string().max(LIMITS.textChars).optional(),
  context: contextConfig.optional(),
  /** Upper bound of one reply, in tokens. */
  maxOutputTokens: z.int().min(1).max(1_000_000).optional(),
  lane: z.enum(LANES).optional(),
  grants: grants.optional(),
  denials: denials.optional(),
  approvals: asking.optional(),
});
/** The body of `POST /v1/agents`. */
export const processSpec = spec
  .refine(({ model, models }) => model === undefined || models === undefined, {
    path: ["models"],
    message: "name either model or models",
  })
  .refine(({ models, routing, needs }) => models !== undefined || (routing === undefined && needs === undefined), {
    path: ["models"],
    message: "routing and needs choose among models: name those",
  });
export type ProcessSpec = z.infer<typeof processSpec>;

/** The body of `PATCH /v1/agents/{id}`. */
export const processPatch = z
  .strictObject({
    priority: priority.optional(),
    quotas: quotas.optional(),
    permissionLevel: permissionLevel.optional(),
    name: name.optional(),
    approvals: asking.optional(),
    /** A list that is given takes the place of the one before; lists that are not stay. */
    grants: grants.optional(),
    denials: denials.optional(),
  })
  .refine(
    (patch) => Object.keys(patch).length > 0,
    "name at least one of priority, quotas, permissionLevel, name, approvals, grants, denials",
  );
export type ProcessPatch = z.infer<typeof processPatch>;
