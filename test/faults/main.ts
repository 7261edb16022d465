import { parseArgs } from "node:util";
import { buildOrExit } from "../../scripts/build/build-or-exit.ts";
import { runCampaign } from "./campaign.ts";
import { goesOn } from "./killer.ts";
import { naivePackage } from "./naive/variant.ts";
import { reportOf } from "./report.ts";

/**
 * `npm run test:faults -- [--kills 300] [--seed N] [--minutes 13] [--naive]`: exits 1 when a check was violated or kills are
 * missing; with `--naive`, where it kills a kernel that is built wrong on purpose, when nothing was violated.
 */

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "13" },
    naive: { type: "boolean", default: false },
  },
});

await buildOrExit();
const kills = Number(values.kills);
const variant = values.naive ? await naivePackage() : null;
const outcome = await runCampaign({
  kills,
  seed: Number(values.seed),
  timeMs: Number(values.minutes) * 60_000,
  size: { daemons: 8, libraries: 3 },
  progress: (line) => console.log(line),
  ...(variant === null ? {} : { root: variant.folder }),
}).finally(() => variant?.remove());
for (const line of reportOf(outcome)) console.log(line);
const done = outcome.kills.filter((one) => !goesOn(one)).length;
if (done < kills) console.log(`only ${done} of ${kills} kills in the time`);
const whole = outcome.findings.violations.length === 0;
if (values.naive) console.log(whole ? "the naive variant was NOT caught" : "the naive variant was caught");
process.exit((values.naive ? !whole : whole) && done >= kills ? 0 : 1);
