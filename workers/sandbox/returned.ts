import * as z from "zod";
import type { SandboxEnd, SandboxLimits, SandboxWrite } from "../../kernel/security/sandbox/sandbox.ts";

/** What a program gave back, as text of its own making: nothing of it is believed before it is looked at. */

export type Returned =
  | { ok: true; value: string; writes: SandboxWrite[] }
  | { ok: false; end: SandboxEnd; message: string };

const writesSchema = z.array(z.tuple([z.string(), z.string()]));
const encoder = new TextEncoder();

/** `value` = JSON text of the result; `written` = JSON text of a list of path and content. */
export function returned(value: unknown, written: unknown, limits: SandboxLimits): Returned {
  if (typeof value !== "string" || parsed(value) === undefined) return failed("error", "the result is not JSON");
  const size = encoder.encode(value).length;
  const { outputBytes } = limits;
  if (size > outputBytes) return failed("output", `the result has ${size} bytes; at most ${outputBytes} are taken`);
  const list = writesSchema.safeParse(typeof written === "string" ? parsed(written) : undefined);
  if (!list.success) return failed("error", "the list of written files is not one");
  const writes = list.data.map(([path, content]) => ({ path, content }));
  const tooMuch = overflow(writes, limits);
  return tooMuch === null ? { ok: true, value, writes } : failed("output", tooMuch);
}

function overflow(writes: readonly SandboxWrite[], limits: SandboxLimits): string | null {
  if (writes.length > limits.writes) return `it wrote ${writes.length} files; at most ${limits.writes} are taken`;
  const bytes = writes.reduce((sum, { path, content }) => sum + encoder.encode(path + content).length, 0);
  return bytes > limits.writeBytes ? `it wrote ${bytes} bytes; at most ${limits.writeBytes} are taken` : null;
}

/** Undefined when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failed(end: SandboxEnd, message: string): Returned {
  return { ok: false, end, message };
}
