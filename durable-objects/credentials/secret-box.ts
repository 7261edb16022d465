import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * Secrets that D1 keeps and nobody reads there: AES-256-GCM under keys that are derived (HKDF-SHA256) from `AOS_SECRETS_KEY`, one
 * a tenant. What was sealed says which key sealed it, so that `AOS_SECRETS_KEY_PREVIOUS` opens what the key before has sealed.
 * The place of a secret is authenticated with it: whose it is, its name, version and hosts. A row that somebody moved to another
 * tenant, or whose hosts somebody changed, opens nothing.
 */

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SALT = "aos credentials 1";

export interface Place {
  tenant: string;
  name: string;
  version: number;
  /** As they are stored. */
  hosts: string;
}

export interface Sealed {
  keyId: string;
  /** Base64url of nonce, tag and ciphertext. */
  sealed: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

export class SecretBox {
  readonly keyId: string;
  /** Of the kernel, the present one first. */
  readonly #masters: ReadonlyMap<string, string>;
  readonly #present: string;

  private constructor(present: string, previous: string | undefined) {
    this.#present = present;
    this.keyId = idOf(present);
    const masters = previous === undefined ? [present] : [present, previous];
    this.#masters = new Map(masters.map((master) => [idOf(master), master]));
  }

  /** `unavailable` names the variable that is missing. */
  static of({ AOS_SECRETS_KEY: present, AOS_SECRETS_KEY_PREVIOUS: previous }: Variables): Result<SecretBox> {
    if (!isKey(present)) return NO_KEY;
    return ok(new SecretBox(present, isKey(previous) ? previous : undefined));
  }

  seal(place: Place, text: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, derived(this.#present, `seal ${place.tenant}`), nonce);
    cipher.setAAD(Buffer.from(aad(place)));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return { keyId: this.keyId, sealed: Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url") };
  }

  /** Null when no key at hand sealed it, or it does not stand where it was sealed for. */
  open(place: Place, { keyId, sealed }: Sealed): string | null {
    const master = this.#masters.get(keyId);
    if (master === undefined) return null;
    const bytes = Buffer.from(sealed, "base64url");
    const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)];
    if (tag.length < TAG_BYTES) return null;
    const key = derived(master, `seal ${place.tenant}`);
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad(place))).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString();
    } catch {
      return null;
    }
  }

  /** Equal for equal texts of one tenant; without the kernel's key nobody can try guesses against it. */
  fingerprint(tenant: string, text: string): string {
    const key = derived(this.#present, `fingerprint ${tenant}`);
    return createHmac("sha256", key).update(text).digest("hex").slice(0, 16);
  }
}

function isKey(text: string | undefined): text is string {
  return text !== undefined && text.length >= LIMITS.secretsKeyChars;
}

function aad({ tenant, name, version, hosts }: Place): string {
  return JSON.stringify([tenant, name, version, hosts]);
}

function derived(master: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", master, SALT, purpose, KEY_BYTES));
}

function idOf(master: string): string {
  return derived(master, "id").toString("hex").slice(0, 8);
}

const NO_KEY = err(
  "unavailable",
  `Credentials need AOS_SECRETS_KEY, at least ${LIMITS.secretsKeyChars} random characters: set it with \`wrangler secret put AOS_SECRETS_KEY\`.`,
);
