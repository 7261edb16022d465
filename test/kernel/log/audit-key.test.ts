import { describe, expect, test } from "vitest";
import { isSigningKey, loadAuditKey } from "../../../kernel/log/audit-key.ts";
import { value } from "../../support/tenant.ts";

/** Keys as `openssl genpkey -algorithm ed25519` writes them. */
async function newKey(): Promise<{ pem: string; base64: string }> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
  const base64 = btoa(String.fromCharCode(...der));
  return { base64, pem: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n` };
}

describe("AOS_AUDIT_KEY", () => {
  test("that is an Ed25519 key signs so that the public key alone verifies", async () => {
    const { pem, base64 } = await newKey();
    const [key, same, escaped] = await Promise.all(
      [pem, base64, pem.replaceAll("\n", "\\n")].map(async (text) => value(await loadAuditKey(text))),
    );
    expect([same?.id, escaped?.id]).toEqual([key?.id, key?.id]);
    const signature = (await key?.sign("text")) ?? "";
    const open = value(await loadAuditKey(key?.publicKey ?? ""));
    expect(open.id).toBe(key?.id);
    expect([await open.verify("text", signature), await open.verify("texT", signature)]).toEqual([true, false]);
    expect([await open.sign("text"), isSigningKey(key?.publicKey ?? "")]).toEqual([null, false]);
  });

  test("that is a passphrase signs for those who have it, and shows nothing of it", async () => {
    const key = value(await loadAuditKey("correct horse battery staple, twice"));
    const other = value(await loadAuditKey("correct horse battery staple, thrice"));
    const signature = (await key.sign("text")) ?? "";
    expect([await key.verify("text", signature), await other.verify("text", signature)]).toEqual([true, false]);
    expect(key.id).toMatch(/^hmac:[0-9a-f]{16}$/);
    expect(key.publicKey).toBeNull();
    expect(await key.verify("text", "no base64!")).toBe(false);
  });

  test("that is too short, or a key of another kind, is refused with what it takes", async () => {
    const ecdsa = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", ecdsa.privateKey)) as ArrayBuffer);
    const base64 = btoa(String.fromCharCode(...der));
    for (const text of [
      "short",
      "x".repeat(31),
      "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----",
      base64,
    ]) {
      expect(isSigningKey(text)).toBe(false);
      expect(await loadAuditKey(text)).toMatchObject({ ok: false, error: { code: "invalid_input" } });
    }
  });
});
