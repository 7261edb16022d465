import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * The key of `AOS_AUDIT_KEY`, which signs checkpoints. An Ed25519 private key (PKCS#8, as PEM or base64) signs so that anybody can
 * verify with the public key; any other text of at least 32 characters is a passphrase, from which HKDF derives an HMAC-SHA-256
 * key. WebCrypto throughout: the same code signs in objects and verifies in Node.
 */

export const AUDIT_KEY_TAKES = `an Ed25519 private key (PKCS#8, PEM or base64), or a passphrase of at least ${LIMITS.auditPassphraseChars} characters`;

/** What verifies signatures, and may be able to make them. */
export interface AuditKey {
  /** `ed25519:` or `hmac:` and 16 hex digits. */
  readonly id: string;
  /** PEM; null for a passphrase. */
  readonly publicKey: string | null;
  /** Base64. Null when it is only a public key. */
  sign(text: string): Promise<string | null>;
  verify(text: string, signature: string): Promise<boolean>;
}

type Parsed = { kind: "passphrase"; text: string } | { kind: "private" | "public"; der: Uint8Array<ArrayBuffer> };

const PKCS8_PREFIX = "302e020100300506032b657004220420";
const SPKI_PREFIX = "302a300506032b6570032100";
const PKCS8_BYTES = 48;
const SPKI_BYTES = 44;
const HKDF_INFO = "aos audit checkpoints 1";

/** What the text is, without asking WebCrypto. `invalid_input` says what it should be. */
export function parseAuditKey(given: string): Result<Parsed> {
  const text = given.trim().replaceAll("\\n", "\n");
  const bare = text.replace(/-----(?:BEGIN|END) [A-Z ]+-----/g, "").replace(/\s+/g, "");
  const der = bytesOfBase64(bare);
  if (der !== null && isDer(der, PKCS8_PREFIX, PKCS8_BYTES)) return ok({ kind: "private", der });
  if (der !== null && isDer(der, SPKI_PREFIX, SPKI_BYTES)) return ok({ kind: "public", der });
  const isOtherKey = text.startsWith("-----") || (der !== null && looksLikeKey(der));
  if (isOtherKey || text.length < LIMITS.auditPassphraseChars) return err("invalid_input", AUDIT_KEY_TAKES);
  return ok({ kind: "passphrase", text });
}

/** Whether the text is a key that can sign. */
export function isSigningKey(text: string): boolean {
  const parsed = parseAuditKey(text);
  return parsed.ok && parsed.value.kind !== "public";
}

/** The key of `text`: one that signs, or the public half of one, which only verifies. */
export async function loadAuditKey(text: string): Promise<Result<AuditKey>> {
  const parsed = parseAuditKey(text);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === "passphrase") return ok(await hmacKey(parsed.value.text));
  return parsed.value.kind === "private"
    ? signingKey(parsed.value.der)
    : ok(await verifyingKey(parsed.value.der, null));
}

async function hmacKey(passphrase: string): Promise<AuditKey> {
  const secret = await crypto.subtle.importKey("raw", utf8(passphrase), "HKDF", false, ["deriveBits"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(HKDF_INFO) };
  const bits = await crypto.subtle.deriveBits(hkdf, secret, 256);
  const key = await crypto.subtle.importKey("raw", bits, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const name = await crypto.subtle.sign("HMAC", key, utf8("key id"));
  return {
    id: `hmac:${hex(new Uint8Array(name)).slice(0, 16)}`,
    publicKey: null,
    sign: async (text) => base64(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text)))),
    verify: async (text, signature) => {
      const bytes = bytesOfBase64(signature);
      return bytes !== null && (await crypto.subtle.verify("HMAC", key, bytes, utf8(text)));
    },
  };
}

async function signingKey(der: Uint8Array<ArrayBuffer>): Promise<Result<AuditKey>> {
  try {
    const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x = "" } = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
    const raw = bytesOfBase64(x.replaceAll("-", "+").replaceAll("_", "/"));
    if (raw === null) return err("invalid_input", AUDIT_KEY_TAKES);
    const spki = new Uint8Array([...bytesOfHex(SPKI_PREFIX), ...raw]);
    return ok(await verifyingKey(spki, key));
  } catch {
    return err("invalid_input", AUDIT_KEY_TAKES);
  }
}

async function verifyingKey(spki: Uint8Array<ArrayBuffer>, signer: CryptoKey | null): Promise<AuditKey> {
  const key = await crypto.subtle.importKey("spki", spki, "Ed25519", true, ["verify"]);
  const name = await crypto.subtle.digest("SHA-256", spki);
  return {
    id: `ed25519:${hex(new Uint8Array(name)).slice(0, 16)}`,
    publicKey: `-----BEGIN PUBLIC KEY-----\n${base64(spki)}\n-----END PUBLIC KEY-----\n`,
    sign: async (text) =>
      signer === null ? null : base64(new Uint8Array(await crypto.subtle.sign("Ed25519", signer, utf8(text)))),
    verify: async (text, signature) => {
      const bytes = bytesOfBase64(signature);
      return bytes !== null && (await crypto.subtle.verify("Ed25519", key, bytes, utf8(text)));
    },
  };
}

function isDer(der: Uint8Array, prefix: string, bytes: number): boolean {
  return der.length === bytes && hex(der).startsWith(prefix);
}

/** A DER sequence that begins as PKCS#8, SEC 1 or PKCS#1 private keys do, or as public keys do. */
function looksLikeKey(der: Uint8Array): boolean {
  return /^30(?:8[12]\w\w(?:\w\w)?|[0-7]\w)(?:0201\w\w(?:30|04|02)|30)/.test(hex(der.subarray(0, 12)));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOfHex(text: string): number[] {
  return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
