import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import * as z from "zod";
import { LIMITS } from "../../../kernel/limits.ts";
import { isHttpUrl } from "../../../kernel/llm/env.ts";
import { LIMITS_TAKE, limitsText } from "../../../kernel/llm/gate/account-limits.ts";
import { AUDIT_KEY_TAKES, isSigningKey } from "../../../kernel/log/audit-key.ts";
import { HostRules } from "../../../kernel/security/host-rules.ts";
import { RuntimeError } from "./runtime-error.ts";

/**
 * The environment of the local runtime, validated before anything starts. One row a variable: what it takes, in words for
 * the operator, and how that is checked. Values are never printed, because some are secrets.
 */

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((number) => number <= 65_535);
const httpUrl = z.string().refine(isHttpUrl);
const secret = z.string().regex(/^[\x21-\x7e]+$/);
const secretsKey = secret.min(LIMITS.secretsKeyChars);
const hosts = z.string().refine((text) => HostRules.parse(text).ok);
const price = String.raw`[a-z]+/[^\s,=]+=\d+(\.\d+)?(:\d+(\.\d+)?){2}(:\d+)?`;
const prices = z.string().regex(new RegExp(`^\\s*${price}(\\s*,\\s*${price})*\\s*$`));

const HTTP_URL = "an http:// or https:// URL without user, password and query";
const HOSTS = "comma-separated host or host:port";
const SECRET = "printable ASCII characters without spaces";

const VARIABLES = {
  AOS_PORT: [port, "a port number from 0 to 65535 (0 = any free port)"],
  AOS_STATE: [z.string(), "the path of a folder"],
  AOS_ADMIN_KEY: [secret.min(16), `at least 16 ${SECRET}`],
  AOS_DEFAULT_MODEL: [z.string().regex(/^[a-z][a-z0-9-]*\/\S+$/), "provider/model, for example local/reader"],
  OPENAI_API_KEY: [secret, SECRET],
  OPENAI_BASE_URL: [httpUrl, HTTP_URL],
  DEEPSEEK_API_KEY: [secret, SECRET],
  DEEPSEEK_BASE_URL: [httpUrl, HTTP_URL],
  KIMI_API_KEY: [secret, SECRET],
  MOONSHOT_API_KEY: [secret, SECRET],
  KIMI_BASE_URL: [httpUrl, HTTP_URL],
  OLLAMA_BASE_URL: [httpUrl, HTTP_URL],
  OPENAI_LIMITS: [limitsText, LIMITS_TAKE],
  DEEPSEEK_LIMITS: [limitsText, LIMITS_TAKE],
  KIMI_LIMITS: [limitsText, LIMITS_TAKE],
  OLLAMA_LIMITS: [limitsText, LIMITS_TAKE],
  OLLAMA_CONTEXT_TOKENS: [z.string().regex(/^\d{3,8}$/), "a number of tokens, such as 32768"],
  AOS_MODEL_PRICES: [
    prices,
    "provider/model=input:cached:output in US dollars per million tokens, separated by commas",
  ],
  AOS_AUDIT_KEY: [z.string().refine(isSigningKey), AUDIT_KEY_TAKES],
  AOS_AUDIT_RETENTION_DAYS: [z.string().regex(/^[1-9]\d{0,4}$/), "a number of days from 1 to 99999"],
  AOS_SECRETS_KEY: [secretsKey, `at least ${LIMITS.secretsKeyChars} ${SECRET}`],
  AOS_SECRETS_KEY_PREVIOUS: [secretsKey, `at least ${LIMITS.secretsKeyChars} ${SECRET}`],
  AOS_STORAGE: [z.enum(["cloudflare", "postgres", "memory"]), "cloudflare, postgres or memory"],
  DATABASE_URL: [z.url({ protocol: /^postgres(ql)?$/ }), "a postgres:// URL"],
  AOS_SANDBOX: [z.enum(["quickjs", "loader"]), "quickjs or loader"],
  AOS_EGRESS_ALLOW: [hosts, HOSTS],
  AOS_KEYED_HOSTS: [hosts, HOSTS],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Variable = keyof typeof VARIABLES;

/** An environment in which nothing is set: neither keys nor models of whoever runs the program. */
export const BLANK: Environment = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, ""]));

/** The variables that configure the process itself; the Worker gets all others as bindings. */
const OWN: readonly Variable[] = ["AOS_PORT", "AOS_STATE", "AOS_ADMIN_KEY"];
const DEFAULT_PORT = 8787;
const DEFAULT_STATE = ".aos";
const DEV_VARS = ".dev.vars";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** Where the API listens on 127.0.0.1; 0 = any free port. */
  port: number;
  /** Absolute path of the folder that holds all local state. */
  stateDir: string;
  /** Absent = made once and kept in the state folder. */
  adminKey: string | undefined;
  /** What the Worker reads from its environment, as text. */
  bindings: Record<string, string>;
}

/**
 * Settings of `environment` over those of `.dev.vars` in the working directory. An empty value counts as unset.
 * Throws a `RuntimeError` `bad_setting` whose line names the variable and what it takes.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const raw: Environment = { ...devVars(), ...environment };
  const values: Partial<Record<Variable, string>> = {};
  for (const name of Object.keys(VARIABLES) as Variable[]) {
    const value = raw[name]?.trim();
    if (value) values[name] = checked(name, value);
  }
  if (values.AOS_STORAGE === "postgres" && !values.DATABASE_URL) {
    throw badSetting("DATABASE_URL", `${VARIABLES.DATABASE_URL[1]}; AOS_STORAGE=postgres needs it`);
  }
  return {
    port: Number(values.AOS_PORT ?? DEFAULT_PORT),
    stateDir: resolve(values.AOS_STATE ?? DEFAULT_STATE),
    adminKey: values.AOS_ADMIN_KEY,
    bindings: Object.fromEntries(Object.entries(values).filter(([name]) => !OWN.includes(name as Variable))),
  };
}

function checked(name: Variable, value: string): string {
  const [schema, takes] = VARIABLES[name];
  if (!schema.safeParse(value).success) throw badSetting(name, takes);
  return value;
}

function badSetting(name: Variable, takes: string): RuntimeError {
  return new RuntimeError("bad_setting", `${name} takes ${takes}`);
}

function devVars(): Environment {
  return existsSync(DEV_VARS) ? parseEnv(readFileSync(DEV_VARS, "utf8")) : {};
}
