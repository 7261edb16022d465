import { describe, expect, test } from "vitest";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** A child is never above its parent: when it is spawned, when either is changed, and from the next system call on. */

const ADA = "key:ada";
const LEAST: Pick<ProcessSpec, "name" | "role" | "goal" | "daemon" | "model"> = {
  name: "Child",
  role: "r",
  goal: "Help",
  daemon: true,
  model: "local/reader",
};

const spawn = (tenant: TestTenant, spec: Partial<ProcessSpec>) =>
  tenant.core.spawn({ ...LEAST, ...spec }, { actor: ADA });

async function refusals(tenant: TestTenant) {
  return value(await tenant.core.audit({ limit: 10, action: "agent.refused" })).items;
}

describe("a child", () => {
  test("is not spawned above its parent's level, and the chain says who asked and why not", async () => {
    const tenant = new TestTenant();
    const parentId = await tenant.daemon({ permissionLevel: "STANDARD" });
    expect(await spawn(tenant, { parentId, permissionLevel: "ADVANCED" })).toMatchObject({
      ok: false,
      error: {
        code: "forbidden",
        issues: [{ path: "$.permissionLevel", message: expect.stringContaining("STANDARD") }],
      },
    });
    expect(await refusals(tenant)).toMatchObject([
      { actor: ADA, data: { parentId, code: "forbidden", reason: expect.stringContaining("STANDARD") } },
    ]);
    expect(value(await spawn(tenant, { parentId, permissionLevel: "RESTRICTED" })).permissionLevel).toBe("RESTRICTED");
  });

  test("that names no level gets its parent's where the usual one would be above it", async () => {
    const tenant = new TestTenant();
    const low = await tenant.daemon({ permissionLevel: "RESTRICTED" });
    const high = await tenant.daemon({ permissionLevel: "FULL" });
    expect(value(await spawn(tenant, { parentId: low })).permissionLevel).toBe("RESTRICTED");
    expect(value(await spawn(tenant, { parentId: high })).permissionLevel).toBe("STANDARD");
  });

  test("is granted nothing that its parent was not granted", async () => {
    const tenant = new TestTenant();
    const grants = { hosts: ["*.example.org", "api.example.com:443"], tools: ["shop__find"] };
    const parentId = await tenant.daemon({ permissionLevel: "ADVANCED", grants });
    const path = async (asked: NonNullable<ProcessSpec["grants"]>) => {
      const refused = await spawn(tenant, { parentId, grants: asked });
      return refused.ok ? null : refused.error.issues?.[0]?.path;
    };
    expect(await path({ hosts: ["docs.example.org", "api.example.com:443"], tools: ["shop__find"] })).toBeNull();
    expect(await path({ hosts: ["example.com"] })).toBe("$.grants.hosts");
    expect(await path({ hosts: ["api.example.com"] })).toBe("$.grants.hosts");
    expect(await path({ hosts: ["*.com"] })).toBe("$.grants.hosts");
    expect(await path({ tools: ["shop__buy"] })).toBe("$.grants.tools");
  });

  test("sees no files that its parent does not see, and the same ones when it names none", async () => {
    const tenant = new TestTenant();
    const paths = ["/workspace", "/workspace/config:ro", "/shared/team"];
    const parentId = await tenant.daemon({ permissionLevel: "ADVANCED", grants: { paths } });
    const refused = async (asked: string[]) => !(await spawn(tenant, { parentId, grants: { paths: asked } })).ok;
    expect(await refused(["/workspace/a", "/workspace/config/x:ro", "/shared/team/one"])).toBe(false);
    expect(await refused(["/workspace:ro"])).toBe(false);
    expect(await refused(["/workspace"])).toBe(true);
    expect(await refused(["/workspace/config"])).toBe(true);
    expect(await refused(["/shared/teams"])).toBe(true);
    expect(await refused(["/"])).toBe(true);
    expect(value(await spawn(tenant, { parentId })).grants).toEqual({ paths });
  });

  test("is offered no tools that its parent is not offered, and the same ones when it names none", async () => {
    const tenant = new TestTenant();
    const spec = { tools: ["file_read", "file_write"], denials: { tools: ["file_write"] } };
    const parentId = await tenant.daemon({ permissionLevel: "ADVANCED", ...spec });
    for (const tools of [["file_delete"], ["file_read", "file_write"]]) {
      expect(await spawn(tenant, { parentId, tools })).toMatchObject({
        error: { code: "forbidden", issues: [{ path: "$.tools" }] },
      });
    }
    expect(value(await spawn(tenant, { parentId, tools: ["file_read"] })).tools).toEqual(["file_read"]);
    expect(value(await spawn(tenant, { parentId }))).toMatchObject({ tools: ["file_read"], denials: spec.denials });
  });

  test("is not raised above its parent, nor its parent lowered below it", async () => {
    const tenant = new TestTenant();
    const parentId = await tenant.daemon({ permissionLevel: "STANDARD" });
    const child = value(await spawn(tenant, { parentId })).id;
    expect(await tenant.core.patch(child, { permissionLevel: "FULL" }, ADA)).toMatchObject({
      error: { code: "forbidden" },
    });
    expect(await tenant.core.patch(parentId, { permissionLevel: "RESTRICTED" }, ADA)).toMatchObject({
      error: { code: "conflict", message: expect.stringContaining(child) },
    });
    expect((await refusals(tenant)).map(({ data }) => data["agentId"])).toEqual([child, parentId]);
    value(await tenant.core.patch(child, { permissionLevel: "RESTRICTED" }, ADA));
    expect(value(await tenant.core.patch(parentId, { permissionLevel: "RESTRICTED" }, ADA)).permissionLevel).toBe(
      "RESTRICTED",
    );
    expect(await spawn(tenant, { parentId, permissionLevel: "STANDARD" })).toMatchObject({
      error: { code: "forbidden" },
    });
  });
});

describe("a level that is changed", () => {
  test("holds from the next system call on, and both chains say who changed it", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ permissionLevel: "STANDARD" });
    await tenant.ask(id, 'call file_write {"path": "a.txt", "content": "one"}');
    expect(value(await tenant.agent(id).readFile("a.txt")).file.version).toBe(1);
    value(await tenant.core.patch(id, { permissionLevel: "RESTRICTED" }, ADA));
    await tenant.ask(id, 'call file_write {"path": "a.txt", "content": "two"}');
    expect(value(await tenant.agent(id).readFile("a.txt")).file.version).toBe(1);
    expect(value(await tenant.core.audit({ limit: 10, action: "agent.patch" })).items).toMatchObject([
      { actor: ADA, data: { agentId: id, permissionLevel: "RESTRICTED" } },
    ]);
    expect(value(await tenant.agent(id).audit({ limit: 10, action: "process.patch" })).items).toMatchObject([
      { actor: ADA, data: { permissionLevel: "RESTRICTED", before: { permissionLevel: "STANDARD" } } },
    ]);
  });
});
