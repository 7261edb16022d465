/**
 * The log's last guard: text that looks like a secret, or is one that the operator configured, is not written. Nothing should
 * ever hand one over; whatever does, does it once, and a chain cannot be cleaned afterwards.
 */

export const REDACTED = "[redacted]";

/** Keys of the kernel and of vendors, tokens of the usual services, JSON Web Tokens, private keys, and what follows `Bearer`. */
const SHAPES = new RegExp(
  [
    String.raw`\bBearer [\w.~+/=-]{8,}`,
    String.raw`\baos_[\w-]{43}`,
    String.raw`\bsk-[\w-]{16,}`,
    String.raw`\b(?:ghp|gho|ghs|github_pat|glpat|xox[abpr])[_-][\w-]{16,}`,
    String.raw`\bAKIA[0-9A-Z]{16}\b`,
    String.raw`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}`,
    '-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*',
  ].join("|"),
  "g",
);

/** A shorter value may be a word that stands everywhere. */
const SECRET_CHARS = 8;

/** Takes secrets out of a JSON text; the text stays JSON. `secrets`: values as they are. */
export function redactor(secrets: readonly string[] = []): (json: string) => string {
  const known = secrets.filter(({ length }) => length >= SECRET_CHARS).map((text) => JSON.stringify(text).slice(1, -1));
  return (json) => {
    const bare = known.reduce((text, secret) => text.replaceAll(secret, REDACTED), json);
    return bare.replace(SHAPES, REDACTED);
  };
}

const SECRET_NAMES =
  /^(?:[A-Z]+_API_KEY|AOS_ADMIN_KEY|AOS_AUDIT_KEY|AOS_SECRETS_KEY|AOS_SECRETS_KEY_PREVIOUS|DATABASE_URL)$/;

/** The values of `variables` that are secrets. */
export function secretsOf(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).flatMap(([name, value]) => (SECRET_NAMES.test(name) ? [value] : []));
}
