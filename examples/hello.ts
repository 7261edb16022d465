import { AgentOSKernel } from "agent-os-kernel";

/** The smallest program: a kernel in this process, one agent, its result. Run it: `npx node examples/hello.ts`. */

const kernel = new AgentOSKernel();
await kernel.initialize();
const agentId = await kernel.spawnAgent({ name: "Assistant", role: "general", goal: "帮助用户完成任务" });
await kernel.run();
console.log((await kernel.client.agents.get(agentId)).result);
await kernel.shutdown();
