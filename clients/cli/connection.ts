import type { Command } from "commander";
import { KernelClient } from "../sdk/client/client.ts";
import { readAdminKey } from "../sdk/runtime/admin-key.ts";
import { readRuntimeUrl } from "../sdk/runtime/runtime-url.ts";
import { readSettings, type Settings } from "../sdk/runtime/settings.ts";
import { UsageError } from "./exit-code.ts";

/** Which kernel a command talks to: `--url` or `AOS_URL`, else the local one and its key file. */
export function connect(command: Command): KernelClient {
  const options = command.optsWithGlobals<{ url?: string; key?: string }>();
  const settings = readSettings();
  const baseUrl = checkedUrl(options.url ?? process.env["AOS_URL"] ?? localUrl(settings));
  const apiKey = options.key ?? process.env["AOS_KEY"] ?? localKey(baseUrl, settings);
  return new KernelClient({ baseUrl, apiKey });
}

/** The address that the running kernel left in the state folder; the configured port when none did. */
function localUrl(settings: Settings): string {
  return readRuntimeUrl(settings.stateDir) ?? `http://127.0.0.1:${settings.port}`;
}

/** The local key goes to this machine only. */
function localKey(baseUrl: string, settings: Settings): string {
  if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(baseUrl).hostname)) {
    throw new UsageError(`${baseUrl} is not this machine; pass a key with --key or AOS_KEY`);
  }
  return settings.adminKey ?? readAdminKey(settings.stateDir) ?? "none";
}

function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--url takes an http:// or https:// URL, not ${url}`);
  }
  return parsed.origin;
}
