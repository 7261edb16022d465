import { expect, test } from "vitest";
import { TestTenant, value } from "../support/tenant.ts";

/** `/proc`: what the kernel says of a process, made when it is read, and nobody's to write. */

async function text(tenant: TestTenant, id: string, path: string): Promise<string> {
  return new TextDecoder().decode(value(await tenant.agent(id).readFile(path)).bytes);
}

test("a process reads its own state, memory and limits, as they are now, and is not tainted by it", async () => {
  const tenant = new TestTenant();
  const id = await tenant.daemon({ quotas: { files: 7, tokens: 1_000_000 } });
  value(await tenant.agent(id).addPages({ content: "Ships: three.", source: "harbour.txt" }, "key:test"));
  const answer = await tenant.ask(id, 'call file_read {"path": "/proc/status"}');
  expect(answer).toContain("level: STANDARD");
  expect(answer).toContain("label: user/public");
  expect(value(await tenant.agent(id).provenance()).raised.map(({ by }) => by)).not.toContainEqual(
    expect.objectContaining({ tool: "file_read" }),
  );
  expect(await text(tenant, id, "/proc/limits")).toMatch(/^files 7 0 0 total$/m);
  const map = await text(tenant, id, "/proc/map");
  expect(map).toMatch(/^pg_\S+ document (?:hot|warm) \d+ -$/m);
  expect(map).not.toContain("harbour");
  await tenant.ask(id, 'call file_write {"path": "a.txt", "content": "x"}');
  expect(await text(tenant, id, "/proc/limits")).toMatch(/^files 7 1 0 total$/m);
});

test("nobody writes there, a person neither, and what is not granted is not seen", async () => {
  const tenant = new TestTenant();
  const id = await tenant.daemon({ grants: { paths: ["/workspace"] } });
  const agent = tenant.agent(id);
  expect(await agent.writeFile("/proc/status", new Uint8Array(1), {}, "key:test")).toMatchObject({
    error: { code: "forbidden" },
  });
  expect(await agent.deleteFile("/proc/map", "key:test")).toMatchObject({ error: { code: "forbidden" } });
  expect(await agent.readFile("/proc/constructor")).toMatchObject({ error: { code: "not_found" } });
  const { items } = value(await agent.files({ prefix: "/", limit: 10 }));
  expect(items.map(({ path }) => path)).toEqual(["/proc/limits", "/proc/map", "/proc/status"]);
  const answer = await tenant.ask(id, 'call file_read {"path": "/proc/status"}');
  expect(answer).not.toContain("level: STANDARD");
});

test("a program in the sandbox sees what its process sees", async () => {
  const tenant = new TestTenant();
  const paths = ["/workspace/in:ro", "/workspace/out"];
  const id = await tenant.daemon({ permissionLevel: "ADVANCED", grants: { paths } });
  const bytes = new TextEncoder().encode("20 22");
  for (const path of ["in/n.txt", "inner.txt"])
    value(await tenant.agent(id).writeFile(path, bytes, { trust: "operator" }, "key:test"));
  const run = (code: string) => tenant.ask(id, `call code_run with ${JSON.stringify({ code })}`);
  expect(await run('return { seen: await files.list("/"), text: await files.read("in/n.txt") }')).toContain(
    '"seen":["/workspace/in/n.txt"],"text":"20 22"',
  );
  expect(await run('return { text: await files.read("inner.txt") }')).not.toContain("20 22");
  await run('await files.write("in/n.txt", "0")');
  await run('await files.write("out/n.txt", "42")');
  const { items } = value(await tenant.agent(id).files({ limit: 10 }));
  expect(items.map(({ path, version }) => `${path}@${version}`)).toEqual([
    "/workspace/in/n.txt@1",
    "/workspace/inner.txt@1",
    "/workspace/out/n.txt@1",
  ]);
});
