import { ok, type Result } from "../errors.ts";
import { HostRules } from "./host-rules.ts";

/** What the operator says about hosts outside, in the environment. */
export interface EgressPolicy {
  /** `AOS_EGRESS_ALLOW`: may be reached although private, and without https. */
  readonly allow: HostRules;
  /** `AOS_KEYED_HOSTS`: act once for one `Idempotency-Key`, so a request with an unknown outcome may be sent again. */
  readonly keyed: HostRules;
}

/** `invalid_input` names the variable and what it takes. */
export function parseEgress(env: Readonly<Record<string, string | undefined>>): Result<EgressPolicy> {
  const allow = rulesOf(env, "AOS_EGRESS_ALLOW");
  if (!allow.ok) return allow;
  const keyed = rulesOf(env, "AOS_KEYED_HOSTS");
  return keyed.ok ? ok({ allow: allow.value, keyed: keyed.value }) : keyed;
}

function rulesOf(env: Readonly<Record<string, string | undefined>>, name: string): Result<HostRules> {
  const rules = HostRules.parse(env[name] ?? "");
  if (rules.ok) return rules;
  return {
    ok: false,
    error: { ...rules.error, message: `${name} takes comma-separated hosts: ${rules.error.message}` },
  };
}
