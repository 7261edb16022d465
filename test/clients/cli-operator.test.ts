import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aos, type Ended, KernelProcess } from "../e2e/runtime/kernel-process.ts";

/** What an operator does with agents that run. */

let kernel: KernelProcess;

function cli(...line: string[]): Promise<Ended> {
  return aos(line, { AOS_STATE: kernel.state });
}

async function daemon(...options: string[]): Promise<string> {
  const id = (await cli("spawn", "What is 6 * 7?", "--daemon", ...options)).stdout.trim();
  await cli("wait", id);
  return id;
}

beforeAll(async () => {
  kernel = await KernelProcess.start();
});

afterAll(() => kernel.dispose());

describe("aos messages", () => {
  it("lists the mailbox, and cancels what has not ended", async () => {
    const id = await daemon();
    await cli("kill", "-STOP", id);
    const message = (await cli("send", id, "What is 1 + 1?", "--wait", "0")).stdout.trim();
    expect((await cli("messages", id)).stdout).toMatch(new RegExp(`^${message} +queued .* What is 1 \\+ 1\\?$`, "m"));
    expect((await cli("messages", "cancel", id, message)).stdout).toBe(`${message} cancelled\n`);
    expect((await cli("messages", "show", id, message)).stdout).toMatch(/cancelled/);
    expect((await cli("messages", "cancel", id, message)).code).toBe(1);
  });

  it("shows a reply", async () => {
    const { stdout } = await cli("messages", await daemon(), "--json");
    const { items } = JSON.parse(stdout) as { items: { id: string; reply: string }[] };
    expect(items.map(({ reply }) => reply)).toEqual(["6 * 7 = 42"]);
  });
});

describe("aos, for who runs agents", () => {
  it("changes their priority", async () => {
    const id = await daemon();
    expect((await cli("nice", "5", id)).stdout).toBe(`${id} has priority 5\n`);
    expect((await cli("show", id)).stdout).toMatch(/^priority +5$/m);
    expect((await cli("nice", "100", id)).code).toBe(2);
  });

  it("shows their journal and their bill", async () => {
    const id = await daemon();
    expect((await cli("strace", id)).stdout).toMatch(/^ +1 \S+ local\/reader done: .*\n +calculate ok$/m);
    const bill = (await cli("cost")).stdout;
    expect(bill).toMatch(new RegExp(`^${id} +2 `, "m"));
    expect(bill).toMatch(/^total +\$0/m);
    expect((await cli("cost", "--by", "model")).stdout).toMatch(/^local\/reader /m);
    expect((await cli("cost", "--by", "mood")).code).toBe(2);
  });

  it("names the providers and the tools", async () => {
    expect((await cli("providers")).stdout).toMatch(/^local \* +1 /m);
    expect((await cli("tools")).stdout).toMatch(/^calculate /m);
  });

  it("erases them for good", async () => {
    const id = await daemon();
    expect((await cli("erase", id)).code).toBe(0);
    expect((await cli("show", id)).code).toBe(1);
  });
});

describe("aos dead-letters", () => {
  it("lists them, and retries only those that there are", async () => {
    expect((await cli("dead-letters")).stdout).toBe("CALL  AGENT  SINCE  SENT  REASON\n");
    const { code, stderr } = await cli("dead-letters", "retry", "call_nobody");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^aos: not_found: /) });
  });
});
