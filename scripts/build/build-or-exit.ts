import { build } from "./build.ts";

/** Builds for a script: when the sources do not build, says why in the compiler's words and ends the process. */
export async function buildOrExit(options: { force?: boolean } = {}): Promise<{ fresh: boolean; ms: number }> {
  try {
    return await build(options);
  } catch (error) {
    process.stderr.write(`the build failed: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
