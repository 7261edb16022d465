import { expect, test } from "vitest";
import { runCampaign } from "../../faults/campaign.ts";
import { reportOf } from "../../faults/report.ts";

/**
 * The short form of `npm run test:faults`: a few kills of a kernel under load, and every check of the long one. It judges what
 * is there in the end and never how long it took: on a busy machine there are fewer kills.
 */

const KILLS = 8;
const KILLING_MS = 45_000;

test("a kernel that is killed again and again loses nothing and doubles nothing", { timeout: 600_000 }, async () => {
  const outcome = await runCampaign({
    kills: KILLS,
    seed: 20_261_122,
    timeMs: KILLING_MS,
    size: { daemons: 4, libraries: 1 },
  });
  console.log(reportOf(outcome).join("\n"));
  expect(outcome.findings.violations).toEqual([]);
  expect(outcome.kills.length).toBeGreaterThan(0);
  expect(outcome.messages).toBeGreaterThan(0);
});
