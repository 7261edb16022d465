import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The types of the SDK: one `.d.ts` a source file, below `types/`. The compiler's own output, nothing merged. */
export async function emitDeclarations(root: string, target: string): Promise<void> {
  const compiler = join(root, "node_modules/.bin/tsc");
  const options = ["-p", "scripts/build/tsconfig.json", "--outDir", join(target, "types")];
  try {
    await promisify(execFile)(compiler, options, { cwd: root });
  } catch (error) {
    throw new Error(`types of the SDK:\n${(error as { stdout?: string }).stdout ?? error}`);
  }
}
