import { rmSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { aos, eventually, isAlive, KernelProcess, processesOf } from "./kernel-process.ts";

const onLinux = process.platform === "linux";
const kernels: KernelProcess[] = [];

async function start(state?: string, env?: Record<string, string>, by?: "npm"): Promise<KernelProcess> {
  const kernel = await KernelProcess.start(state, env, by);
  kernels.push(kernel);
  return kernel;
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

afterEach(async () => {
  for (const kernel of kernels.splice(0)) await kernel.dispose();
});

describe("the local runtime", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("ends with 0 and without a child at %s", async (signal) => {
    const kernel = await start();
    expect(await isHealthy(kernel.url)).toBe(true);
    const { code, stderr } = await kernel.end(signal);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await isHealthy(kernel.url)).toBe(false);
    if (onLinux) expect(await eventually(() => processesOf(kernel.state).length === 0, 1_000)).toBe(true);
  });

  it.runIf(onLinux)("started by `npm start` ends at the SIGTERM that npm gets", async () => {
    const kernel = await start(undefined, {}, "npm");
    const { code, stdout } = await kernel.end();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+$/m);
    expect(await eventually(() => processesOf(kernel.state).length === 0, 1_000)).toBe(true);
  });

  it("refuses a state folder in use, in one line that names the holder", async () => {
    const kernel = await start();
    const { code, stderr } = await aos(["up"], { AOS_STATE: kernel.state, AOS_PORT: "0" });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `aos: ${kernel.state} is in use by process ${kernel.pid}; stop that kernel, or set AOS_STATE to another folder\n`,
    );
    expect(await isHealthy(kernel.url)).toBe(true);
  });

  it("lets exactly one of several runtimes that start at once have the folder", async () => {
    const first = await start();
    await first.end();
    const { state } = first;
    const attempts = await Promise.allSettled([start(state), start(state), start(state), start(state)]);
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("refuses a port in use, in one line that names it", async () => {
    const kernel = await start();
    const port = new URL(kernel.url).port;
    const { code, stderr } = await aos(["up", "--port", port, "--state", `${kernel.state}/other`]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `aos: port ${port} of 127.0.0.1 is in use; stop what listens there, or set AOS_PORT to another port\n`,
    );
  });

  it.runIf(onLinux)("takes workerd with it when it is killed", async () => {
    const kernel = await start();
    const workerd = kernel.workerdPid;
    expect(isAlive(workerd)).toBe(true);
    await kernel.end("SIGKILL");
    expect(await eventually(() => !isAlive(workerd), 1_000)).toBe(true);
    expect(await eventually(() => processesOf(kernel.state).length === 0, 1_000)).toBe(true);
  });

  it.runIf(onLinux)("takes workerd with it also when its state is removed at once", async () => {
    const kernel = await start();
    const workerd = kernel.workerdPid;
    const ending = kernel.end("SIGKILL");
    rmSync(kernel.state, { recursive: true, force: true });
    await ending;
    expect(await eventually(() => !isAlive(workerd), 1_000)).toBe(true);
  });

  it.runIf(onLinux)("ends the orphan of a killed runtime before it starts on its folder", async () => {
    const killed = await start();
    const orphan = killed.workerdPid;
    for (const watcher of processesOf(killed.state)) {
      if (watcher !== orphan && watcher !== killed.pid) process.kill(watcher, "SIGKILL");
    }
    await killed.end("SIGKILL");
    expect(isAlive(orphan)).toBe(true);
    const next = await start(killed.state);
    expect(isAlive(orphan)).toBe(false);
    expect(await isHealthy(next.url)).toBe(true);
  });

  it("takes over the folder of a killed runtime, with its key", async () => {
    const killed = await start();
    const { adminKey } = killed;
    await killed.end("SIGKILL");
    const next = await start(killed.state);
    expect(await isHealthy(next.url)).toBe(true);
    expect(next.adminKey).toBe(adminKey);
  });

  it("serves on at the same address after workerd was killed", async () => {
    const kernel = await start();
    const first = kernel.workerdPid;
    process.kill(first, "SIGKILL");
    expect(await eventually(() => kernel.workerdPid !== first, 5_000)).toBe(true);
    await expect.poll(() => isHealthy(kernel.url), { timeout: 5_000 }).toBe(true);
    if (onLinux) expect(processesOf(kernel.state)).toHaveLength(3); // the runtime, workerd and one watcher
    expect((await kernel.end()).code).toBe(0);
    if (onLinux) expect(await eventually(() => processesOf(kernel.state).length === 0, 1_000)).toBe(true);
  });
});
