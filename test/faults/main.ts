import { parseArgs } from "node:util";
import { buildOrExit } from "../../scripts/build/build-or-exit.ts";
import { runCampaign } from "./campaign.ts";
import { reportOf } from "./report.ts";

/** `npm run test:faults -- [--kills 300] [--seed N] [--minutes 13]`: exits 1 when a check was violated or kills are missing. */

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "13" },
  },
});

await buildOrExit();
const kills = Number(values.kills);
const outcome = await runCampaign({
  kills,
  seed: Number(values.seed),
  timeMs: Number(values.minutes) * 60_000,
  size: { daemons: 8, libraries: 3 },
  progress: (line) => console.log(line),
});
for (const line of reportOf(outcome)) console.log(line);
const done = outcome.kills.filter((one) => !(one.way === "stopped" && one.goesOn)).length;
if (done < kills) console.log(`only ${done} of ${kills} kills in the time`);
process.exit(outcome.findings.violations.length === 0 && done >= kills ? 0 : 1);
