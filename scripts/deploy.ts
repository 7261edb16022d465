import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { buildOrExit } from "./build/build-or-exit.ts";
import { readConfiguration } from "./deploy/configuration.ts";
import { explainPlaceholders, missingSecrets } from "./deploy/readiness.ts";

/** `npm run deploy`: refuses while wrangler.toml holds placeholders; else D1 migrations, secrets check, `wrangler deploy`. */

const ROOT = resolve(import.meta.dirname, "..");
const configuration = await readConfiguration(ROOT);

const explanation = explainPlaceholders(configuration);
if (explanation) refuse(explanation);

await buildOrExit();
for (const { binding } of configuration.d1_databases) wrangler(["d1", "migrations", "apply", binding, "--remote"]);
const missing = missingSecrets(wrangler(["secret", "list", "--format", "json"], "pipe"));
if (missing) refuse(missing);
wrangler(["deploy"]);

/** Runs wrangler and ends the script with its status when it fails. */
function wrangler(line: readonly string[], output: "inherit" | "pipe" = "inherit"): string {
  const command = join(ROOT, "node_modules/.bin/wrangler");
  const { status, stdout } = spawnSync(command, line, {
    cwd: ROOT,
    stdio: ["inherit", output, "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) refuse(`wrangler ${line.join(" ")} failed; nothing after it was done`);
  return stdout ?? "";
}

function refuse(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
