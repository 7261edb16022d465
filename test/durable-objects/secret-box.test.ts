import { describe, expect, test } from "vitest";
import { SecretBox } from "../../durable-objects/credentials/secret-box.ts";
import { value } from "../support/tenant.ts";

const OLD = "the-old-key-of-the-kernel-in-32-chars";
const NEW = "the-new-key-of-the-kernel-in-32-chars";
const place = { tenant: "harbour", name: "tide", version: 3, hosts: '["api.example.com"]' };
const boxOf = (present: string, previous?: string) =>
  value(SecretBox.of({ AOS_SECRETS_KEY: present, AOS_SECRETS_KEY_PREVIOUS: previous }));

describe("a sealed secret", () => {
  test("is opened where it was sealed for, and differs each time", () => {
    const box = boxOf(OLD);
    const [one, other] = [box.seal(place, "secret"), box.seal(place, "secret")];
    expect(one.sealed).not.toBe(other.sealed);
    expect([box.open(place, one), box.open(place, other)]).toEqual(["secret", "secret"]);
  });

  test.each([{ tenant: "other" }, { name: "other" }, { version: 2 }, { hosts: '["evil.example.com"]' }])(
    "is not opened under %j",
    (change) => {
      const box = boxOf(OLD);
      expect(box.open({ ...place, ...change }, box.seal(place, "secret"))).toBeNull();
    },
  );

  test("of which any bit was changed is not opened", () => {
    const box = boxOf(OLD);
    const { keyId, sealed } = box.seal(place, "secret");
    const bytes = Buffer.from(sealed, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(box.open(place, { keyId, sealed: changed.toString("base64url") })).toBeNull();
    }
    for (const length of [0, 11, 27]) {
      const short = bytes.subarray(0, length).toString("base64url");
      expect(box.open(place, { keyId, sealed: short })).toBeNull();
    }
  });

  test("is opened by the key before, while that is named", () => {
    const sealed = boxOf(OLD).seal(place, "secret");
    expect(boxOf(NEW, OLD).open(place, sealed)).toBe("secret");
    expect(boxOf(NEW).open(place, sealed)).toBeNull();
    expect(boxOf(NEW, OLD).seal(place, "secret").keyId).toBe(boxOf(NEW).keyId);
  });
});

test("a fingerprint is the same for the same text of one tenant under one key, and for nothing else", () => {
  const print = boxOf(OLD).fingerprint("harbour", "secret");
  expect(print).toMatch(/^[0-9a-f]{16}$/);
  expect(boxOf(OLD).fingerprint("harbour", "secret")).toBe(print);
  expect(boxOf(OLD).fingerprint("other", "secret")).not.toBe(print);
  expect(boxOf(NEW).fingerprint("harbour", "secret")).not.toBe(print);
});

test("a missing or short key is named by its variable", () => {
  for (const AOS_SECRETS_KEY of [undefined, "", "too-short"]) {
    expect(SecretBox.of({ AOS_SECRETS_KEY })).toMatchObject({
      error: { code: "unavailable", message: expect.stringContaining("AOS_SECRETS_KEY") },
    });
  }
});
