import { expect, test } from "vitest";
import { TestTenant, value } from "../support/tenant.ts";

/** An agent that runs code: through the door, in an entrypoint outside of its object, with its own files. */

test("an agent runs a program over its files, outside of its object", async () => {
  const tenant = new TestTenant();
  const id = await tenant.daemon({ permissionLevel: "ADVANCED" });
  const agent = tenant.agent(id);
  value(await agent.writeFile("/workspace/n.txt", new TextEncoder().encode("20 22"), {}, "key:test"));
  const code = `
    const numbers = (await files.read("n.txt")).split(" ").map(Number);
    const sum = numbers[0] + numbers[1];
    await files.write("sum.txt", String(sum));
    return { sum };`;
  const answer = await tenant.ask(id, `call code_run with ${JSON.stringify({ code })}`);
  expect(answer).toContain('"sum":42');
  const { bytes } = value(await agent.readFile("/workspace/sum.txt"));
  expect(new TextDecoder().decode(bytes)).toBe("42");
  expect(value(await agent.verify()).ok).toBe(true);
});

test("a STANDARD agent has no such tool", async () => {
  const tenant = new TestTenant();
  const id = await tenant.daemon();
  await tenant.ask(id, 'call code_run with {"code":"return 1;"}');
  const { items } = value(await tenant.agent(id).steps({ limit: 10 }));
  expect(JSON.stringify(items)).not.toContain('"name":"code_run","ok":true');
});
