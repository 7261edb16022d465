import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AosError, KernelClient } from "../../clients/sdk/index.ts";
import { aos, type Ended, KernelProcess } from "../e2e/runtime/kernel-process.ts";

let kernel: KernelProcess;

function cli(...line: string[]): Promise<Ended> {
  return aos(line, { AOS_STATE: kernel.state });
}

beforeAll(async () => {
  kernel = await KernelProcess.start();
});

afterAll(() => kernel.dispose());

describe("aos keys and aos tenants", () => {
  it("hand a tenant its keys, and take one back", async () => {
    const tenant = (await cli("tenants", "create", "Acme")).stdout.trim();
    expect((await cli("tenants")).stdout).toContain(tenant);
    const created = await cli("keys", "create", "--role", "viewer", "--tenant", tenant, "--name", "wall");
    expect(created.stdout).toMatch(/^aos_[\w-]{43}\n$/);
    const key = created.stdout.trim();
    expect((await cli("ps", "--key", key)).code).toBe(0);
    expect((await cli("spawn", "What is 6 * 7?", "--key", key)).code).toBe(3);

    const id = /^(key_\w+): viewer of /.exec(created.stderr)?.[1] ?? "";
    expect((await cli("keys", "ls", "--tenant", tenant)).stdout).toMatch(new RegExp(`^${id} .* wall +live `, "m"));
    expect((await cli("tenants", "rm", tenant)).code).toBe(1);
    expect((await cli("keys", "revoke", id)).code).toBe(0);
    expect((await cli("ps", "--key", key)).code).toBe(3);
    expect((await cli("keys", "--json")).stdout).toContain('"revokedAt":"');
    expect((await cli("tenants", "rm", tenant)).code).toBe(0);
  });

  it("put a key with scopes in the place of another", async () => {
    const created = await cli("keys", "create", "--role", "operator", "--scope", "agents:read", "costs:read");
    const id = /^(key_\w+): /.exec(created.stderr)?.[1] ?? "";
    const rotated = await cli("keys", "rotate", id, "--overlap", "600");
    expect(rotated.stdout).toMatch(/^aos_[\w-]{43}\n$/);
    for (const key of [created.stdout.trim(), rotated.stdout.trim()]) {
      expect((await cli("ps", "--key", key)).code).toBe(0);
      expect((await cli("quota", "--key", key)).code).toBe(3);
    }
    expect((await cli("keys")).stdout).toContain("agents:read costs:read");
  });

  it("want a role that there is", async () => {
    expect((await cli("keys", "create")).code).toBe(2);
    expect((await cli("keys", "create", "--role", "root")).code).toBe(2);
  });
});

describe("aos quota", () => {
  it("sets budgets, shows them, and removes them", async () => {
    const { code, stdout } = await cli("quota", "set", "tokens=1000000", "nanoUsd=5000/day");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tokens +1000000 +total +0 +0$/m);
    expect((await cli("quota")).stdout).toMatch(/^nanoUsd +5000 +day +0 +0$/m);
    expect((await cli("quota", "set")).stdout).toBe("QUOTA  LIMIT  PER  USED  RESERVED\n");
    expect((await cli("quota", "set", "gold=1")).code).toBe(2);
  });
});

describe("the SDK", () => {
  it("makes a key that acts in its own tenant only", async () => {
    const root = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
    const tenant = await root.tenants.create("Globex");
    const { key, id } = await root.keys.create({ role: "admin", tenantId: tenant.id, requestsPerMinute: 1_000 });
    const admin = new KernelClient({ baseUrl: kernel.url, apiKey: key });
    const listed = await Array.fromAsync(admin.keys.list());
    expect(listed.map((each) => each.id)).toEqual([id]);
    expect(await Array.fromAsync(admin.tenants.list())).toEqual([tenant]);
    const refused = await admin.tenants.create("Initech").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AosError);
    expect(refused).toMatchObject({ status: 403, code: "forbidden" });
    expect(await admin.quotas.set({ steps: 5 })).toMatchObject({ quotas: { steps: { limit: 5, used: 0 } } });
    expect(await admin.quotas.get()).toMatchObject({ quotas: { steps: { limit: 5 } } });
    expect(await root.quotas.get()).toEqual({ quotas: {} });
  });
});
