import { vi } from "vitest";
import { KernelCore } from "../../durable-objects/core/kernel-core.ts";
import { eventually } from "./tenant.ts";

/** Rules about approvals that take their time: stories act between the question of an agent and the core's answer. */

const LOOK_MS = 2;

/** Does `ask`, and `meanwhile` while the core is asked for its rules; the answer is the core's own, late. */
export async function whileRulesAreAsked(ask: () => Promise<unknown>, meanwhile: () => Promise<unknown>) {
  const told = KernelCore.prototype.ruleFor;
  let isAsked = false;
  let mayAnswer = false;
  const slow = vi.spyOn(KernelCore.prototype, "ruleFor").mockImplementation(async function (
    this: KernelCore,
    ...asked
  ) {
    isAsked = true;
    while (!mayAnswer) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return told.apply(this, asked);
  });
  try {
    await ask();
    await eventually(
      async () => isAsked,
      (is) => is,
    );
    await meanwhile();
  } finally {
    mayAnswer = true;
    slow.mockRestore();
  }
}
