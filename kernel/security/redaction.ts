import { LIMITS } from "../limits.ts";

/**
 * Takes secrets out of what a host answered: hosts repeat what they were sent, in errors, in debug pages, in echoes. Every
 * spelling in which a secret commonly comes back is replaced: as it is, escaped for JSON, HTML and URLs, in hex, and in
 * base64 wherever in the encoded text it lies. A host that wants to give a secret away can always find another spelling;
 * it had the secret anyway.
 */

export const REDACTED = "[redacted]";
const CHUNK = 8_192;

export class Redactor {
  readonly #pattern: RegExp;
  /** Characters of the longest spelling. */
  readonly #longest: number;

  /** `headers` are header values in printable ASCII. */
  constructor(headers: Iterable<string>) {
    const forms = [...new Set([...headers].flatMap(secretsIn).flatMap(spellings))];
    forms.sort((a, b) => b.length - a.length);
    this.#longest = forms[0]?.length ?? 0;
    this.#pattern = new RegExp(forms.map(escaped).join("|") || "(?!)", "gi");
  }

  text(text: string): string {
    return text.replace(this.#pattern, REDACTED);
  }

  /** Every text of a flat object, and of the objects and lists in it. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [this.text(name), this.value(item)]));
  }

  /** Bytes of any encoding that writes ASCII as ASCII. Of a body that broke off, the end may hold half a secret: it goes. */
  bytes(bytes: Uint8Array, complete: boolean): Uint8Array {
    const whole = complete ? bytes : bytes.subarray(0, Math.max(0, bytes.length - this.#longest));
    const text = latin1(whole);
    const clean = this.text(text);
    return clean === text ? whole : Uint8Array.from(clean, (char) => char.charCodeAt(0));
  }
}

/** What of a header's value is secret: all of it, what follows its scheme, and the parts of a Basic pair. */
function secretsIn(value: string): string[] {
  const [, scheme = "", rest = ""] = /^(\S+) +(\S+)$/.exec(value) ?? [];
  const pair = /^basic$/i.test(scheme) ? decoded(rest) : "";
  const password = pair.slice(pair.indexOf(":") + 1);
  return [value, rest, pair, password].filter((text) => text.length >= LIMITS.secretChars);
}

function decoded(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return "";
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

function spellings(secret: string): string[] {
  const url = encodeURIComponent(secret);
  const html = secret
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
  const json = JSON.stringify(secret).slice(1, -1);
  const hex = Array.from(secret, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const base64 = [0, 1, 2].map((offset) => base64At(secret, offset));
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [secret, url, url.replaceAll("%20", "+"), html, json, hex, ...base64, ...base64url];
}

/** The characters that `secret` makes in base64 when `offset` bytes (modulo 3) stand before it, whatever stands around it. */
function base64At(secret: string, offset: number): string {
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor(((offset + secret.length) * 8) / 6);
  return btoa("\0".repeat(offset) + secret).slice(from, to);
}

function latin1(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return parts.join("");
}
