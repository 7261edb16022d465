import { expect, test } from "vitest";
import { REDACTED, Redactor } from "../../../kernel/security/redaction.ts";

const SECRET = 'tok/+en "of=the~lamp';
const redactor = new Redactor([`Bearer ${SECRET.replaceAll(" ", "_")}`]);
const KEY = SECRET.replaceAll(" ", "_");

test.each([
  ["itself", KEY],
  ["JSON", JSON.stringify({ key: KEY })],
  ["a URL", encodeURIComponent(KEY)],
  ["a form", new URLSearchParams({ key: KEY }).get("key") ?? ""],
  ["HTML", KEY.replaceAll('"', "&quot;")],
  ["hex", Buffer.from(KEY).toString("hex")],
  ["hex in capitals", Buffer.from(KEY).toString("hex").toUpperCase()],
  ["base64", Buffer.from(KEY).toString("base64")],
  ["base64 one byte on", Buffer.from(`x${KEY}y`).toString("base64")],
  ["base64 two bytes on", Buffer.from(`xx${KEY}yy`).toString("base64")],
  ["base64url", Buffer.from(KEY).toString("base64url")],
  ["base64 of the whole header", Buffer.from(`authorization: Bearer ${KEY}`).toString("base64")],
])("a secret is not left in %s", (_, text) => {
  const clean = redactor.text(`before ${text} after`);
  expect(clean).toContain(REDACTED);
  expect(clean).toMatch(/^before .* after$/);
  for (const size of [8, 12]) {
    for (let at = 0; at + size <= KEY.length; at++) expect(clean).not.toContain(KEY.slice(at, at + size));
  }
});

test("the password of a Basic pair is found by itself and with its user", () => {
  const basic = new Redactor([`Basic ${btoa("harbour:lantern-keeper")}`]);
  expect(basic.text("user harbour, password lantern-keeper")).toBe(`user harbour, password ${REDACTED}`);
  expect(basic.text(btoa("harbour:lantern-keeper"))).toBe(REDACTED);
});

test("texts at any depth are searched, and everything else stays", () => {
  const value = { status: 200, ok: true, none: null, list: [{ [KEY]: `a ${KEY}` }] };
  expect(redactor.value(value)).toEqual({ ...value, list: [{ [REDACTED]: `a ${REDACTED}` }] });
});

test("bytes stay as they are unless they hold the secret, and of a body that broke off no half of it is left", () => {
  const other = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
  expect(redactor.bytes(other, true)).toEqual(other);
  const body = new TextEncoder().encode(`é ${KEY} ü`);
  expect(new TextDecoder().decode(redactor.bytes(body, true))).toBe(`é ${REDACTED} ü`);
  const cut = new TextEncoder().encode(`${"x".repeat(1_000)}${KEY.slice(0, 12)}`);
  expect(new TextDecoder().decode(redactor.bytes(cut, false))).toMatch(/^x+$/);
});

test("without secrets nothing is changed", () => {
  expect(new Redactor([]).text("any text")).toBe("any text");
  expect(new Redactor(["short"]).text("a short text")).toBe("a short text");
});
