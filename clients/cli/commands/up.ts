import { Command } from "commander";
import { readSettings } from "../../sdk/runtime/settings.ts";

/** `aos up` (`npm start`): serves the kernel on this machine until SIGINT, SIGTERM or SIGHUP. */
export function upCommand(): Command {
  return new Command("up")
    .description("serve the kernel on this machine; all state stands in one folder")
    .option("--port <port>", "port on 127.0.0.1 (AOS_PORT, 8787; 0 = any free one)")
    .option("--state <folder>", "folder of all state (AOS_STATE, .aos)")
    .option("--verbose", "log every request on standard error, not only warnings and errors")
    .action(async (options: { port?: string; state?: string; verbose?: boolean }) => {
      const stopped = stopSignal();
      const flags = {
        ...(options.port && { AOS_PORT: options.port }),
        ...(options.state && { AOS_STATE: options.state }),
      };
      const settings = readSettings({ ...process.env, ...flags });
      // Loaded only here: no other command has to wait for Miniflare.
      const { LocalRuntime } = await import("../../sdk/runtime/local-runtime.ts");
      const runtime = await LocalRuntime.start(settings, { verbose: options.verbose === true });
      process.stdout.write(`admin key: ${runtime.adminKeyFile ?? "the one in AOS_ADMIN_KEY"}\n`);
      process.stdout.write(`ready ${runtime.url}\n`);
      await stopped;
      await runtime.stop();
    });
}

/** Resolves at the first signal that asks to stop; a second one finds a process that is stopping already. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve());
  return promise;
}
