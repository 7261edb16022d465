import { parseArgs } from "node:util";
import { buildOrExit } from "./build/build-or-exit.ts";

/** `npm run build`: makes `dist/` from the sources. Without `--force` it does nothing when no input changed. */

const { values } = parseArgs({ options: { force: { type: "boolean", default: false } } });
const outcome = await buildOrExit({ force: values.force });
console.log(outcome.fresh ? `built dist/ in ${outcome.ms} ms` : "dist/ is up to date");
