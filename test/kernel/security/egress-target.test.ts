import { describe, expect, test } from "vitest";
import { targetOf } from "../../../kernel/security/egress-target.ts";
import { HostRules } from "../../../kernel/security/host-rules.ts";
import { privateUrls } from "../../support/private-spellings.ts";
import { value } from "../../support/tenant.ts";

const nothing = HostRules.none;
const rules = (text: string) => value(HostRules.parse(text));

const PUBLIC_NAMES = [
  "example.com",
  "EXAMPLE.com",
  "example.com.",
  "www.example.co.uk",
  "api.github.com",
  "a-b.c-d.io",
  "xn--fiqs8s.example",
  "例子.中国",
  "bücher.de",
  "_dmarc.example.com",
  "1password.com",
  "3.basecamp.com",
  "v1-2-3-4.docs.dev",
  "release-1.2.3.4-notes.dev",
  "8-8-8-8.example.com",
  "localhost.example.com",
  "internal.example.com",
  "local.example.com",
  "mylocalhost.com",
];
const PUBLIC_ADDRESSES = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "126.255.255.255",
  "128.0.0.1",
  "168.63.129.17",
  "169.253.255.255",
  "169.255.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "192.167.255.255",
  "192.169.0.1",
  "198.17.255.255",
  "198.20.0.1",
  "203.0.114.1",
  "223.255.255.255",
  "134744072",
  "0x08.8.2056",
  "[2606:4700:4700::1111]",
  "[2001:4860:4860::8888]",
  "[2001:200::1]",
  "[2a00:1450:4001::200e]",
  "[2620:fe::fe]",
  "[2400:cb00:2048:1::c629:d7a2]",
  "[3ffe::1]",
  "[2003::1]",
];
const PLACES = ["/", "/a/b?c=d", ":8443/", "/?next=https://127.0.0.1/", "/#@127.0.0.1"];

describe("the egress guard", () => {
  test("lets none of over a thousand private spellings through", () => {
    const urls = privateUrls(8443);
    expect(urls.length).toBeGreaterThan(1_000);
    expect(urls.filter((url) => targetOf(url, nothing).ok)).toEqual([]);
  });

  test.each([...PUBLIC_NAMES, ...PUBLIC_ADDRESSES])("lets %s through", (host) => {
    for (const place of PLACES) expect(targetOf(`https://${host}${place}`, nothing), place).toMatchObject({ ok: true });
  });

  test("wants https, except where the operator allowed the host", () => {
    expect(targetOf("http://example.com/", nothing)).toMatchObject({ error: { code: "forbidden" } });
    expect(targetOf("http://example.com/", rules("example.com"))).toMatchObject({ ok: true });
    for (const url of ["ftp://example.com/", "file:///etc/passwd", "data:,x", "javascript:1", "blob:https://a.b/c"]) {
      expect(targetOf(url, rules("example.com")).ok, url).toBe(false);
    }
  });

  test("takes no user name and no password, from nobody", () => {
    for (const url of ["https://a@example.com/", "https://a:b@example.com/", "https://:b@example.com/"]) {
      expect(targetOf(url, rules("example.com"))).toMatchObject({ error: { code: "forbidden" } });
    }
  });

  test("says what is no URL", () => {
    for (const url of [
      "",
      "example.com",
      "/path",
      "https://",
      "https://[fe80::1%25eth0]/",
      `https://a.b/${"x".repeat(9_000)}`,
    ]) {
      expect(targetOf(url, nothing), url).toMatchObject({ error: { code: "invalid_input" } });
    }
  });

  test("drops the fragment, which is nobody else's business", () => {
    expect(value(targetOf("https://example.com/a#secret", nothing)).href).toBe("https://example.com/a");
  });
});

describe("a rule about hosts", () => {
  test("without a port holds for every port, with one for that port", () => {
    expect(rules("127.0.0.1").matches(new URL("http://127.0.0.1:9/"))).toBe(true);
    expect(rules("127.0.0.1:9").matches(new URL("http://127.0.0.1:9/"))).toBe(true);
    expect(rules("127.0.0.1:9").matches(new URL("http://127.0.0.1:90/"))).toBe(false);
    expect(rules("a.b:443").matches(new URL("https://a.b/"))).toBe(true);
    expect(rules("a.b:80").matches(new URL("https://a.b/"))).toBe(false);
  });

  test("means the host however it is spelled, and no other", () => {
    expect(rules("LocalHost").matches(new URL("http://localhost./"))).toBe(true);
    expect(rules("[::1]:8080").matches(new URL("http://[0:0::1]:8080/"))).toBe(true);
    expect(rules("127.1").matches(new URL("http://2130706433/"))).toBe(true);
    expect(rules("b.c").matches(new URL("http://a.b.c/"))).toBe(false);
    expect(rules("b.c").matches(new URL("http://ab.c/"))).toBe(false);
  });

  test("that begins with *. means all names below, not the name itself", () => {
    expect(rules("*.b.c").matches(new URL("https://a.b.c/"))).toBe(true);
    expect(rules("*.b.c").matches(new URL("https://x.a.b.c/"))).toBe(true);
    expect(rules("*.b.c").matches(new URL("https://b.c/"))).toBe(false);
    expect(rules("*.b.c").matches(new URL("https://ab.c/"))).toBe(false);
  });

  test("is refused when it is anything else", () => {
    for (const text of [
      "https://a.b",
      "a.b/c",
      "a b",
      "a@b",
      "a.b:0",
      "a.b:70000",
      "a.b:x",
      "*",
      "a.*",
      "a.b,,c.d",
      "a\\b",
      "[::1",
      "a?b",
    ]) {
      expect(HostRules.parse(text), text).toMatchObject({ error: { code: "invalid_input" } });
    }
    expect(HostRules.parse("")).toMatchObject({ ok: true });
  });
});
