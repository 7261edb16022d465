import { describe, expect, test } from "vitest";
import { heldBack } from "../../../kernel/security/flow.ts";
import { join, LABELS, labelOf, labelText, SENSITIVITIES, TRUSTS } from "../../../kernel/security/label.ts";

describe("a label of several things", () => {
  test("has the least trust and the most sensitivity of all of them, in any order", () => {
    const all = TRUSTS.flatMap((trust) => SENSITIVITIES.map((sensitivity) => ({ trust, sensitivity })));
    for (const one of all) {
      for (const other of all) {
        const both = join(one, other);
        expect(both).toEqual(join(other, one));
        expect(TRUSTS.indexOf(both.trust)).toBe(Math.max(TRUSTS.indexOf(one.trust), TRUSTS.indexOf(other.trust)));
        expect(join(both, one)).toEqual(both);
      }
    }
  });

  test("is the same after a table, and the worst when the table says nonsense", () => {
    expect(labelOf(labelText(LABELS.document))).toEqual(LABELS.document);
    expect(labelOf("trusted/public")).toEqual({ trust: "untrusted", sensitivity: "secret" });
  });
});

describe("the rule of flow", () => {
  const read = { act: "read", url: "https://a.example/x", isBare: true } as const;
  const flow = { outward: read, isNamed: false, isGranted: false, undone: null };

  test("holds nothing back while everything that was read is trusted", () => {
    const outward = { ...read, act: "write" as const };
    const label = { trust: "user", sensitivity: "secret" } as const;
    expect(heldBack({ ...flow, outward, label, undone: "DELETE x cannot be undone" })).toBeNull();
  });

  test("lets an agent that holds nothing private read on, and act where it was granted or told to", () => {
    const write = { ...read, act: "write" as const };
    expect(heldBack({ ...flow, label: LABELS.web })).toBeNull();
    expect(heldBack({ ...flow, label: LABELS.web, outward: write, isGranted: true })).toBeNull();
    expect(heldBack({ ...flow, label: LABELS.web, outward: write, isNamed: true })).toBeNull();
    expect(heldBack({ ...flow, label: LABELS.web, outward: write })).toContain("named");
  });

  test("lets nothing out that the model composed once it holds untrusted and private content", () => {
    const label = LABELS.document;
    expect(heldBack({ ...flow, label })).toContain("private");
    expect(heldBack({ ...flow, label, isNamed: true })).toBeNull();
    expect(heldBack({ ...flow, label, isNamed: true, outward: { ...read, isBare: false } })).toContain("private");
    expect(heldBack({ ...flow, label, isGranted: true })).toContain("private");
    expect(heldBack({ ...flow, label, outward: { ...read, act: "code", url: null } })).not.toBeNull();
    expect(heldBack({ ...flow, label, outward: { ...read, act: "shared", url: null } })).not.toBeNull();
    expect(heldBack({ ...flow, label, outward: null, undone: "it cannot be undone" })).not.toBeNull();
  });
});
