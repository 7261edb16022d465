import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aos, KernelProcess, stateFolder } from "./kernel-process.ts";

const folders: string[] = [];

function folder(): string {
  const made = stateFolder();
  folders.push(made);
  return made;
}

afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

describe("settings of the environment", () => {
  it.each([
    ["AOS_PORT", "many", "a port number from 0 to 65535 (0 = any free port)"],
    ["AOS_PORT", "65536", "a port number from 0 to 65535 (0 = any free port)"],
    ["AOS_ADMIN_KEY", "short", "at least 16 printable ASCII characters without spaces"],
    ["AOS_DEFAULT_MODEL", "gpt", "provider/model, for example local/reader"],
    ["OPENAI_BASE_URL", "ftp://example.com", "an http:// or https:// URL without user, password and query"],
    ["OLLAMA_BASE_URL", "127.0.0.1:11434", "an http:// or https:// URL without user, password and query"],
    [
      "OPENAI_LIMITS",
      "8",
      "one or more of concurrency, requestsPerMinute and tokensPerMinute, such as concurrency=8,requestsPerMinute=600",
    ],
    ["AOS_SECRETS_KEY", "0123456789abcdef", "at least 32 printable ASCII characters without spaces"],
    ["AOS_STORAGE", "floppy", "cloudflare, postgres or memory"],
    ["AOS_EGRESS_ALLOW", "https://example.com/", "comma-separated host or host:port"],
    ["AOS_EGRESS_ALLOW", "127.0.0.1:x", "comma-separated host or host:port"],
    ["AOS_KEYED_HOSTS", "pay.example.com,,", "comma-separated host or host:port"],
    ["AOS_SANDBOX", "docker", "quickjs or loader"],
    ["DATABASE_URL", "mysql://example.com/x", "a postgres:// URL"],
  ])("%s=%s stops the start with one line and 2", async (name, value, takes) => {
    const state = join(folder(), "state");
    const { code, stdout, stderr } = await aos(["up"], { AOS_STATE: state, [name]: value });
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `aos: ${name} takes ${takes}\n` });
    expect(existsSync(state)).toBe(false);
  });

  it("never prints the value of a bad secret", async () => {
    const { stderr } = await aos(["up"], { AOS_STATE: folder(), OPENAI_API_KEY: "sk-with space" });
    expect(stderr).toContain("OPENAI_API_KEY takes");
    expect(stderr).not.toContain("with space");
  });

  it("come from .dev.vars too, and the environment is stronger", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, ".dev.vars"), 'AOS_STORAGE="floppy"\n');
    expect((await aos(["up"], { AOS_STATE: folder() }, cwd)).stderr).toContain("AOS_STORAGE takes");
    const { stderr } = await aos(["up"], { AOS_STATE: folder(), AOS_STORAGE: "cloudflare", AOS_PORT: "x" }, cwd);
    expect(stderr).toContain("AOS_PORT takes");
  });
});

describe("the bootstrap key", () => {
  it("is made once, for its owner's eyes only, and never printed", async () => {
    const kernel = await KernelProcess.start();
    const { adminKey } = kernel;
    const file = join(kernel.state, "admin-key");
    expect(adminKey).toMatch(/^aos_[A-Za-z0-9_-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(kernel.state).mode & 0o077).toBe(0);
    const { stdout, stderr } = await kernel.end();
    expect(stdout).toBe(`admin key: ${file}\nready ${kernel.url}\n`);
    expect(stdout + stderr).not.toContain(adminKey);
    await kernel.dispose();
  });

  it("is the operator's when the environment names one, and is not written down then", async () => {
    const kernel = await KernelProcess.start(undefined, { AOS_ADMIN_KEY: "aos_chosen_by_the_operator" });
    expect(existsSync(join(kernel.state, "admin-key"))).toBe(false);
    const { stdout } = await kernel.end();
    expect(stdout).toContain("admin key: the one in AOS_ADMIN_KEY\n");
    await kernel.dispose();
  });
});
