import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { aos, type Ended, KernelProcess } from "../e2e/runtime/kernel-process.ts";

let kernel: KernelProcess;
const folder = mkdtempSync(join(tmpdir(), "aos-cli-"));

/** Finds the kernel as a user's shell does: by its state folder. */
function cli(...line: string[]): Promise<Ended> {
  return aos(line, { AOS_STATE: kernel.state });
}

async function daemon(): Promise<string> {
  const { stdout } = await cli("spawn", "Answer from memory.", "--name", "Librarian", "--daemon");
  await cli("wait", stdout.trim());
  return stdout.trim();
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

beforeAll(async () => {
  kernel = await KernelProcess.start();
});

afterAll(async () => {
  await kernel.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe("aos, for people", () => {
  it("spawns, waits and prints the result", async () => {
    const { code, stdout } = await cli("spawn", "What is 6 * 7?", "--wait");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "6 * 7 = 42\n" });
  });

  it("prints an id that the next command takes", async () => {
    const { stdout } = await cli("spawn", "What is 1 + 1?", "--name", "Adder");
    expect(stdout).toMatch(/^agt_\w+\n$/);
    const shown = await cli("show", stdout.trim());
    expect(shown.stdout).toMatch(/^name +Adder$/m);
    expect((await cli("wait", stdout.trim())).code).toBe(0);
    expect((await cli("ps")).stdout).toContain(stdout.trim());
  });

  it("sends a message and prints the reply, and the log of it", async () => {
    const id = await daemon();
    expect((await cli("mem", "add", id, file("owls.txt", "The lighthouse keeper fears owls."))).stdout).toContain(
      "1 pages",
    );
    const { code, stdout } = await cli("send", id, "What does the lighthouse keeper fear?");
    expect(code).toBe(0);
    expect(stdout).toContain("fears owls");
    expect((await cli("logs", id)).stdout).toMatch(/ message\.done /);
    expect((await cli("mem", "search", id, "lighthouse")).stdout).toContain("owls.txt");
  });

  it("follows the log of an agent to its end", async () => {
    const { stdout: id } = await cli("spawn", "What is 2 + 2?");
    const { code, stdout } = await cli("logs", "-f", id.trim());
    expect(code).toBe(0);
    expect(stdout).toContain("process.spawn");
    expect(stdout.trimEnd().split("\n").at(-1)).toContain(" end ");
  });

  it("keeps files byte for byte", async () => {
    const id = await daemon();
    await cli("fs", "put", id, file("a.bin", new Uint8Array([65, 10, 66])), "/workspace/a.bin");
    expect((await cli("fs", "cat", id, "a.bin")).stdout).toBe("A\nB");
    expect((await cli("fs", "ls", id)).stdout).toContain("/workspace/a.bin");
    expect((await cli("fs", "rm", id, "a.bin")).code).toBe(0);
    expect((await cli("fs", "cat", id, "a.bin")).code).toBe(1);
  });

  it("lists what waits for a person, and answers it", async () => {
    const { stdout: id } = await cli("spawn", "Ask a person: which colour is the door?");
    expect((await cli("wait", id.trim())).code).toBe(1);
    const question = /^(apr_\w+).*colour/m.exec((await cli("approve")).stdout)?.[1] ?? "";
    expect((await cli("approve", question, "blue")).code).toBe(0);
    expect((await cli("wait", id.trim())).stdout).toContain("blue");
  });

  it("lets an action run, remembers the answer, and forgets it again", async () => {
    const { stdout } = await cli("spawn", 'call file_write {"path": "a.txt", "content": "x"}', "--ask", "file_write");
    expect((await cli("wait", stdout.trim())).code).toBe(1);
    const approval = /^(apr_\w+).*file_write/m.exec((await cli("approve")).stdout)?.[1] ?? "";
    expect((await cli("approve", approval, "--yes", "--sha256", "another")).code).toBe(1);
    expect((await cli("approve", approval, "--yes", "--remember", "agent", "--for", "tool")).code).toBe(0);
    expect((await cli("wait", stdout.trim())).code).toBe(0);
    const rule = /^(rule_\w+).*approve.*file_write/m.exec((await cli("rules")).stdout)?.[1] ?? "";
    expect((await cli("rules", "rm", rule)).code).toBe(0);
    expect((await cli("rules")).stdout).not.toContain(rule);
  });

  it("verifies the audit chains", async () => {
    const id = await daemon();
    for (const line of [
      ["audit", "verify"],
      ["audit", "verify", "--agent", id],
    ]) {
      const { code, stdout } = await cli(...line);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ok, \d+ entries, head [0-9a-f]{64}; no checkpoint yet\n$/);
    }
  });

  it("verifies an export from its file, and finds a change in it", async () => {
    const id = await daemon();
    const path = join(folder, "trail.jsonl");
    expect((await cli("audit", "export", "--agent", id, "--out", path)).code).toBe(0);
    const key = file("audit-key", "a passphrase of more than thirty-two characters");
    const verify = () => cli("audit", "verify", "--file", path, "--audit-key", key);
    expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok, \d+ entries/) });
    writeFileSync(path, readFileSync(path, "utf8").replace('"kernel"', '"colonel"'));
    expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining("was changed") });
  });
});

describe("aos --json", () => {
  it("prints what the API said, one value a line", async () => {
    const spawned = JSON.parse((await cli("spawn", "What is 6 * 7?", "--json")).stdout) as ControlBlock;
    const waited = JSON.parse((await cli("--json", "wait", spawned.id)).stdout) as ControlBlock;
    expect(waited).toMatchObject({ id: spawned.id, state: "terminated", usage: { toolCalls: 1 } });
    const { stdout } = await cli("ps", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id: spawned.id })]),
    });
    const log = (await cli("logs", spawned.id, "--json")).stdout.trim().split("\n");
    expect(log.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(log.map((_, index) => index + 1));
  });
});

describe("the exit code of aos", () => {
  it("is 1 when the kernel says no", async () => {
    const { code, stderr } = await cli("show", "agt_nobody");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^aos: not_found: .*\n$/) });
  });

  it.each([
    [["frob"]],
    [["spawn"]],
    [["ps", "--state", "asleep"]],
    [["kill", "-FROB", "agt_x"]],
    [["--url", "nowhere", "ps"]],
    [["mem", "add", "agt_x", "/nowhere/at/all"]],
  ])("is 2 for a wrong command line: %j", async (line) => {
    const { code, stdout, stderr } = await cli(...line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  it("is 3 when no kernel answers, and says how to start one", async () => {
    const { code, stderr } = await aos(["ps", "--url", "http://127.0.0.1:1"]);
    expect(code).toBe(3);
    expect(stderr).toBe(
      "aos: no kernel answers at http://127.0.0.1:1; start a kernel with `npm start` or `aos up`, or name one with --url\n",
    );
  });

  it("is 3 when the key is not let in", async () => {
    expect((await cli("ps", "--key", "aos_nobody")).code).toBe(3);
  });

  it("is 2, and no key leaves the machine, when a remote kernel is named without one", async () => {
    const { code, stderr } = await cli("ps", "--url", "https://kernel.example");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("AOS_KEY") });
  });

  it("is 4 when the process itself failed", async () => {
    const id = await daemon();
    expect((await cli("kill", "-KILL", id)).code).toBe(0);
    expect((await cli("wait", id)).code).toBe(4);
    expect((await cli("kill", "-KILL", id)).code).toBe(1);
  });

  it("is 0 for help", async () => {
    const { code, stdout } = await cli("--help");
    expect(code).toBe(0);
    expect(stdout).toContain("Exit codes");
  });
});
