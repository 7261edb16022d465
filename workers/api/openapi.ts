import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { scopeOf } from "./scopes.ts";
import { VERSION } from "./version.ts";

/** The API's description of itself: OpenAPI 3.1, made from the routes and the kernel's schemas. */
export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

export function openApiDocument(app: OpenAPIHono<AppEnv>): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "AOS-Kernel",
      version: VERSION,
      license: { name: "MIT" },
      description:
        "An operating-system kernel for AI agents. Times are RFC 3339 UTC, money is integer nano-dollars plus dollars for people. Every reply carries `X-Request-Id`; every error is `application/problem+json`.",
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) nameScopes(path, item);
  return document;
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** A route's scope follows from its path, so it is written next to the role here and not in each definition. */
function nameScopes(path: string, item: NonNullable<OpenApiDocument["paths"]>[string]): void {
  for (const method of METHODS) {
    const operation = item[method];
    const scope = scopeOf(`${method.toUpperCase()} ${path}`);
    const least = operation?.security?.[0]?.["bearer"];
    if (operation === undefined || least === undefined || scope === undefined) continue;
    operation.security = [{ bearer: [...least, scope] }];
  }
}

export function registerSecurity(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description:
      "A key of this kernel. The bootstrap key acts in the tenant `default`, or in the one that the header `X-AOS-Tenant` names. The first name in a route's security requirement is the least role that it needs: `viewer`, `operator`, `admin`, or `bootstrap` for that key alone. The second is the scope that a key with scopes needs as well.",
  });
}

const TAGS = [
  ["agents", "Processes: spawn, look, change, wait, erase"],
  ["messages", "The mailbox, and signals"],
  ["memory", "Pages: hot, warm, cold"],
  ["files", "The agent's file system"],
  ["events", "What happens, live"],
  ["approvals", "People in the loop"],
  ["costs", "The ledger"],
  ["audit", "The hash-chained log"],
  ["tools", "What models may be offered"],
  ["models", "Providers and models"],
  ["OpenAI", "The routes of OpenAI, for its clients; errors are `{error: {message, type, code, param}}`"],
  ["batches", "Many model calls at once, cheaply"],
  ["dead letters", "Model calls that the queue could not deliver"],
  ["quotas", "The tenant's budgets"],
  ["keys", "Keys and tenants"],
  ["credentials", "Secrets for hosts outside"],
  ["kernel", "The kernel itself"],
] as const;
