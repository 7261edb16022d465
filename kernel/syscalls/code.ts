import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "../security/label.ts";
import { reachesAny } from "../security/reach.ts";
import { cpuMsOf } from "../security/sandbox/gas.ts";
import type {
  SandboxHost,
  SandboxLimits,
  SandboxOutcome,
  SandboxRequest,
  SandboxWrite,
} from "../security/sandbox/sandbox.ts";
import { mountOf, resolvePath, WORKSPACE } from "../storage/path.ts";
import { type CallContext, type Syscall, syscall, type ToolValue } from "../syscall.ts";
import { requestInput, sendChecked } from "./web.ts";

/**
 * Code that the model wrote, run in a sandbox. Files that it writes are written when it has returned, each under a key of its
 * own, so that a run that a crash repeats writes nothing twice. A program that may use the network acts outside.
 */

export const CODE_LIMITS: SandboxLimits = {
  gas: LIMITS.codeGas,
  memoryBytes: LIMITS.codeMemoryBytes,
  stackBytes: LIMITS.codeStackBytes,
  outputBytes: LIMITS.codeOutputBytes,
  wallMs: LIMITS.codeMs,
  hostCalls: LIMITS.codeHostCalls,
  writes: LIMITS.codeWrites,
  writeBytes: LIMITS.codeWriteBytes,
};

const codeRun = syscall({
  name: "code_run",
  description:
    "Run JavaScript in a sandbox: the body of an async function, so `return` gives the result (JSON). It sees `input`, console.log, files.read(path), files.write(path, text), files.list(folder), and with network: true fetch(url, init). No imports, no timers, no packages.",
  input: z.strictObject({
    code: z.string().min(1).max(LIMITS.codeChars).describe("The body of an async function."),
    input: z.unknown().optional().describe("Any JSON value; the code sees it as `input`."),
    network: z.boolean().default(false).describe("Whether fetch is there. Only for processes that may reach the web."),
  }),
  capability: "code.run",
  effect: "by-input",
  effectOf: ({ network }) => (network ? "external" : "idempotent"),
  permit: ({ network }, { reach }) =>
    network && !(reach.hosts === "public" && reachesAny(reach))
      ? err("forbidden", "code with network needs the level FULL; run it without, and fetch with web_fetch").error
      : null,
  outward: ({ network }) => (network ? { act: "code", url: null, isBare: false } : null),
  brings: ({ network }) => (network ? LABELS.web : null),
  timeoutMs: LIMITS.codeMs + LIMITS.toolMs,
  cpuMs: cpuMsOf(LIMITS.codeGas),
  run: async (context, { code, input = null, network }) => {
    const program = { code, input: JSON.stringify(input), limits: CODE_LIMITS, network };
    const outcome = await context.sandbox.run(program, hostOf(context, network));
    if (!outcome.ok) return failure(outcome);
    const written = await commit(context, outcome.writes);
    return written.ok
      ? ok({ ...shown(outcome), value: JSON.parse(outcome.value) as unknown, written: written.value })
      : written;
  },
});

export const CODE_CALLS: readonly Syscall[] = [codeRun];

function failure(outcome: Extract<SandboxOutcome, { ok: false }>): Result<never> {
  const printed = outcome.printed === "" ? "" : `\nIt printed:\n${outcome.printed}`;
  return err("tool_failed", `the program ended (${outcome.end}): ${outcome.message}${printed}`);
}

function shown({ printed, gas }: SandboxOutcome): ToolValue {
  return { ...(printed === "" ? {} : { printed }), cpuMs: cpuMsOf(gas) };
}

/** In the order of the program. What an attempt before this one has written under the same key stands. */
async function commit({ files, callId }: CallContext, writes: readonly SandboxWrite[]): Promise<Result<string[]>> {
  const paths: string[] = [];
  const outside = writes.find(({ path }) => !isOwn(path));
  if (outside !== undefined)
    return err(
      "forbidden",
      `a program writes in ${WORKSPACE} only; nothing was written, ${outside.path} is for file_write`,
    );
  for (const [index, { path, content }] of writes.entries()) {
    const bytes = new TextEncoder().encode(content);
    const put = await files.put(path, bytes, { key: `${callId}/${index}` });
    if (!put.ok && put.error.code !== "idempotency_mismatch") return put;
    paths.push(put.ok ? put.value.path : path);
  }
  return ok(paths);
}

/** Of writing, this is what nobody has to be asked about: other agents read the rest. */
function isOwn(path: string): boolean {
  const resolved = resolvePath(path);
  return !resolved.ok || mountOf(resolved.value) === WORKSPACE;
}

const TOO_NEAR = err("forbidden", `a program with a network sees ${WORKSPACE} only; hand the rest to it as input`);

/**
 * What the program may ask for. The mounts judge its paths, the egress guard its requests. With a network it sees the agent's own
 * files alone: it was judged by what those carry, before it runs, and it could send what others wrote before anybody judges that.
 */
function hostOf(context: CallContext, network: boolean): SandboxHost {
  let requests = 0;
  return {
    readFile: async (path) => {
      if (network && !isOwn(path)) return TOO_NEAR;
      const file = await context.files.get(path, { offset: 0, length: LIMITS.codeFileBytes });
      if (!file.ok) return file;
      if (file.value.file.bytes > LIMITS.codeFileBytes)
        return err("too_large", `a program reads at most ${LIMITS.codeFileBytes} bytes of a file`);
      return ok(new TextDecoder().decode(file.value.bytes));
    },
    listFiles: async (prefix) => {
      if (network && prefix !== "" && !isOwn(prefix)) return TOO_NEAR;
      const listed = await context.files.list(prefix === "" ? `${WORKSPACE}/` : prefix, { limit: LIMITS.fileListMax });
      return listed.ok ? ok(listed.value.items.map(({ path }) => path)) : listed;
    },
    fetch: async (request: SandboxRequest) => {
      requests += 1;
      if (requests > LIMITS.codeRequests)
        return err("forbidden", `a program makes at most ${LIMITS.codeRequests} requests`);
      const { body, ...rest } = request;
      const parsed = requestInput.safeParse(body === null ? rest : { ...rest, body });
      if (!parsed.success) return err("invalid_input", z.prettifyError(parsed.error));
      return sendChecked({ ...context, callId: `${context.callId}-${requests}` }, parsed.data);
    },
  };
}
