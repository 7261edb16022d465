import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { AgentOSKernel } from "../../clients/sdk/index.ts";
import { BLANK } from "../../clients/sdk/runtime/settings.ts";
import { stateFolder } from "../e2e/runtime/kernel-process.ts";

/** One embedded kernel for all tests of a file, without the settings of whoever runs them. */
export function embeddedKernel(): { readonly kernel: AgentOSKernel; readonly state: string } {
  const state = stateFolder();
  const kernel = new AgentOSKernel({ state, env: BLANK });
  beforeAll(() => kernel.initialize());
  afterAll(async () => {
    await kernel.shutdown();
    rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  return { kernel, state };
}
