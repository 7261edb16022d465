import { err, ok, type Result } from "../../kernel/errors.ts";
import type { Credential, CredentialStore } from "../../kernel/security/credential.ts";
import { HostRules } from "../../kernel/security/host-rules.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { type CredentialRow, Credentials } from "./credentials.ts";
import { SecretBox } from "./secret-box.ts";

/** A tenant's credentials as its agents reach them: read and opened for one call, sealed anew when an older key has sealed them. */
export function agentCredentials(env: ObjectEnv, tenant: string): CredentialStore {
  return { open: (name) => open(env, tenant, name) };
}

async function open(env: ObjectEnv, tenant: string, name: string): Promise<Result<Credential>> {
  const box = SecretBox.of(variablesOf(env));
  if (!box.ok) return err("tool_unavailable", box.error.message);
  const credentials = new Credentials(env.DB);
  const row = await credentials.find(tenant, name);
  if (!row.ok) return err("tool_unavailable", row.error.message);
  if (row.value === null) return err("not_found", `there is no credential ${name}; an operator stores it`);
  const text = box.value.open(row.value, row.value);
  if (text === null) return UNREADABLE;
  if (row.value.keyId !== box.value.keyId) await credentials.reseal(row.value, box.value.seal(row.value, text));
  await credentials.noteUse(row.value);
  return credentialOf(row.value, text);
}

function credentialOf({ name, hosts: stored }: CredentialRow, text: string): Result<Credential> {
  const hosts = HostRules.of(JSON.parse(stored) as string[]);
  return hosts.ok ? ok({ name, hosts: hosts.value, headers: JSON.parse(text) as Record<string, string> }) : hosts;
}

const UNREADABLE = err(
  "tool_unavailable",
  "the credential was sealed under another AOS_SECRETS_KEY; an operator stores it again, or gives the old one as AOS_SECRETS_KEY_PREVIOUS",
);
