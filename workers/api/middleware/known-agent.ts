import type { MiddlewareHandler } from "hono";
import { systemHash } from "../../../durable-objects/ports.ts";
import { isAgentIdOf } from "../../../kernel/id.ts";
import { agentObject } from "../../objects.ts";
import type { AppEnv } from "../context.ts";
import { refuse } from "../problem.ts";

/**
 * Finds the agent that the path names. A made-up id and one of another tenant are refused here, without waking an object
 * and with the words that the object of an erased agent uses, so that nobody learns which ids exist.
 */
export const knownAgent: MiddlewareHandler<AppEnv, "/v1/agents/:id/*"> = async (c, next) => {
  const { tenant } = c.var.principal;
  const id = c.req.param("id");
  if (!isAgentIdOf(tenant, id, systemHash)) return refuse(c, "not_found", "There is no such agent.");
  const reach = () => agentObject(c.env, tenant, id);
  c.set("agent", reach());
  c.set("reachAgent", reach);
  return next();
};
