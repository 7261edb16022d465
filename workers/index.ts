import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

export class AgentProcess extends DurableObject {}
export class KernelCore extends DurableObject {}
export class Direct extends WorkerEntrypoint {
  override fetch(): Response {
    return Response.json({ ok: true });
  }
}
export default { fetch: () => Response.json({ ok: true }) };
