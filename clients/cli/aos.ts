#!/usr/bin/env node
import { main } from "./main.ts";

/** Whoever reads the output may stop reading, as in `aos ps | head`: that is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await main(process.argv.slice(2));
