import { describe, expect, test } from "vitest";
import type { PermissionLevel } from "../../../kernel/process/spec.ts";
import { makeEgress } from "../../../kernel/security/egress.ts";
import { reachOf } from "../../../kernel/security/reach.ts";
import type { Outside } from "../../../kernel/syscall.ts";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";

const egress = makeEgress(
  { AOS_EGRESS_ALLOW: "10.0.0.7", AOS_KEYED_HOSTS: "pay.example.com,10.0.0.7:8080" },
  { allowed: fetch, public: fetch },
);

function outside(level: PermissionLevel, hosts: string[] = []): Outside {
  return { egress, reach: reachOf(level, hosts), mayUse: [] };
}

function permitted(level: PermissionLevel, hosts: string[], method: string, url: string): boolean {
  const call = SYSCALLS["http_request"];
  return call?.permit?.(call.input.parse({ method, url }), outside(level, hosts)) === null;
}

describe("the levels", () => {
  const granted = "https://api.example.com/x";
  const other = "https://www.example.org/x";
  const hosts = ["api.example.com"];

  test.each([
    ["RESTRICTED", { read: false, act: false, elsewhere: false }],
    ["STANDARD", { read: true, act: false, elsewhere: false }],
    ["ADVANCED", { read: true, act: true, elsewhere: false }],
    ["FULL", { read: true, act: true, elsewhere: true }],
  ] as const)("%s may %j", (level, may) => {
    expect({
      read: permitted(level, hosts, "GET", granted) && permitted(level, hosts, "HEAD", granted),
      act: ["POST", "PUT", "PATCH", "DELETE"].every((method) => permitted(level, hosts, method, granted)),
      elsewhere: permitted(level, hosts, "GET", other),
    }).toEqual(may);
  });

  test("give nobody a private host that the operator did not allow, granted or not", () => {
    for (const level of ["STANDARD", "ADVANCED", "FULL"] as const) {
      expect(permitted(level, ["192.168.0.1"], "GET", "https://192.168.0.1/")).toBe(false);
      expect(permitted(level, ["10.0.0.7"], "GET", "http://10.0.0.7/")).toBe(true);
    }
  });

  test("show the tools only to whoever has somewhere to go", () => {
    for (const name of ["web_fetch", "http_request"]) {
      const shown = (level: PermissionLevel, granted: string[]) => SYSCALLS[name]?.isOffered?.(outside(level, granted));
      expect([shown("STANDARD", []), shown("ADVANCED", []), shown("RESTRICTED", hosts)]).toEqual([false, false, false]);
      expect([shown("STANDARD", hosts), shown("FULL", [])]).toEqual([true, true]);
    }
  });
});

test("a credential is named by whoever was granted it, and by nobody else", () => {
  const permits = (tool: string, mayUse: string[]) => {
    const call = SYSCALLS[tool];
    const input = call?.input.parse({ url: "https://a.example.com/", credential: "tide" });
    return call?.permit?.(input, { ...outside("FULL"), mayUse });
  };
  for (const tool of ["http_request", "web_fetch"]) {
    expect(permits(tool, ["moon", "tide"])).toBeNull();
    expect(permits(tool, ["moon"])).toMatchObject({ code: "forbidden", message: expect.stringContaining("moon") });
  }
});

describe("what a request leaves behind", () => {
  const effectOf = (method: string, url: string) => {
    const call = SYSCALLS["http_request"];
    if (call?.effect !== "by-input") throw new Error("its effect depends on its input");
    return call.effectOf(call.input.parse({ method, url }), outside("FULL"));
  };

  test("depends on its method and on the operator's word about the host", () => {
    expect(effectOf("GET", "https://a.example.com/")).toBe("pure");
    expect(effectOf("HEAD", "https://pay.example.com/")).toBe("pure");
    expect(effectOf("POST", "https://pay.example.com/")).toBe("idempotent");
    expect(effectOf("DELETE", "http://10.0.0.7:8080/")).toBe("idempotent");
    expect(effectOf("DELETE", "http://10.0.0.7:8081/")).toBe("external");
    expect(effectOf("PUT", "https://a.example.com/")).toBe("external");
  });
});

describe("http_request", () => {
  const accepts = (input: object) =>
    SYSCALLS["http_request"]?.input.safeParse({ url: "https://a.b/", ...input }).success;

  test("takes headers that the kernel does not set itself", () => {
    expect(accepts({ headers: { Authorization: "Bearer x", "content-type": "application/json" } })).toBe(true);
    for (const name of [
      "Idempotency-Key",
      "Host",
      "Content-Length",
      "Connection",
      "Proxy-Authorization",
      "CF-Ray",
      "a b",
      "",
    ]) {
      expect(accepts({ headers: { [name]: "x" } }), name).toBe(false);
    }
    expect(accepts({ headers: { "x-a": "1\r\nx-b: 2" } })).toBe(false);
    expect(accepts({ headers: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, "1"])) })).toBe(false);
  });

  test("is only a URL when it carries no header and no body", () => {
    const call = SYSCALLS["http_request"];
    const outward = (more: object) =>
      call?.outward?.(call.input.parse({ method: "POST", url: "https://a.b/", ...more }));
    expect(outward({})).toMatchObject({ isBare: true });
    expect(outward({ headers: { "x-note": "1" } })).toMatchObject({ isBare: false });
    expect(outward({ body: "1" })).toMatchObject({ isBare: false });
    expect(outward({ body: "" })).toMatchObject({ isBare: false });
  });

  test("sends a body only with a method that acts", () => {
    expect(accepts({ method: "POST", body: "x" })).toBe(true);
    expect(accepts({ body: "x" })).toBe(false);
    expect(accepts({ method: "TRACE" })).toBe(false);
  });
});
