import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../context.ts";
import { DOCS_POLICY, docsPage } from "../docs-page.ts";
import { type OpenApiDocument, openApiDocument } from "../openapi.ts";

/** The reference: `/openapi.json` for machines, `/docs` for people. Neither needs a key. */
export function docs(app: OpenAPIHono<AppEnv>): void {
  let made: OpenApiDocument | null = null;
  const document = () => {
    made ??= openApiDocument(app);
    return made;
  };
  app.get("/openapi.json", (c) => c.json(document(), 200));
  app.get("/docs", (c) => c.html(docsPage(document()), 200, { "Content-Security-Policy": DOCS_POLICY }));
}
