import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { RuntimeError } from "./runtime-error.ts";

/** The folder of this package: the nearest one above that has a package.json, in a checkout as well as installed. */
export function packageRoot(from: string = import.meta.dirname): string {
  if (existsSync(join(from, "package.json"))) return from;
  const above = dirname(from);
  if (above === from) throw new RuntimeError("not_built", "the package.json of agent-os-kernel is not above its code");
  return packageRoot(above);
}
