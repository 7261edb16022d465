import { describe, expect, test } from "vitest";
import { isAgentIdOf, newAgentId } from "../../kernel/id.ts";
import { nodeHash, SeededRandom, TestClock } from "../support/ports.ts";

describe("an agent's id", () => {
  const clock = new TestClock();
  const ports = { clock, random: new SeededRandom(), hash: nodeHash };

  test("is known to the tenant that made it and to no other", () => {
    const id = newAgentId("acme", ports);
    expect(isAgentIdOf("acme", id, nodeHash)).toBe(true);
    expect(isAgentIdOf("globex", id, nodeHash)).toBe(false);
  });

  test("sorts by the time of its making", () => {
    const first = newAgentId("acme", ports);
    clock.advance(1);
    expect(newAgentId("acme", ports) > first).toBe(true);
  });

  test("with one character changed is refused", () => {
    const id = newAgentId("acme", ports);
    const changed = id.slice(0, 10) + (id[10] === "0" ? "1" : "0") + id.slice(11);
    expect(isAgentIdOf("acme", changed, nodeHash)).toBe(false);
  });
});
