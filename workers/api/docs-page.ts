import { html, raw } from "hono/html";
import { ERRORS } from "../../kernel/errors.ts";
import type { OpenApiDocument } from "./openapi.ts";

/** The reference as one page without scripts and without any outside host, rendered from the OpenAPI document. */

export const DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

type PathItem = NonNullable<OpenApiDocument["paths"]>[string];
type Operation = NonNullable<PathItem["get"]>;
type Parameter = Extract<NonNullable<Operation["parameters"]>[number], { name: string }>;
type Html = ReturnType<typeof html>;

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

export function docsPage(document: OpenApiDocument): Html {
  const routes = Object.entries(document.paths ?? {}).flatMap(([path, item]) => operationsOf(path, item));
  const sections = (document.tags ?? []).map((tag) => {
    const own = routes.filter(({ operation }) => operation.tags?.includes(tag.name));
    return html`<h2 id="${tag.name}">${tag.description ?? tag.name}</h2>${own.map(route)}`;
  });
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" /><meta name="viewport" content="width=device-width" />
        <title>${document.info.title} ${document.info.version}: API</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
        <h1>${document.info.title} <small>${document.info.version}</small></h1>
        <p>${document.info.description ?? ""} The same for machines: <a href="/openapi.json">/openapi.json</a>.</p>
        ${sections}
        <h2 id="schemas">Schemas</h2>
        ${Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => schemaOf(name, schema))}
        <h2 id="errors">Errors</h2>
        <table>${Object.entries(ERRORS).map(([code, facts]) => errorRow(code, facts))}</table>
      </body>
    </html>`;
}

function operationsOf(path: string, item: PathItem) {
  return METHODS.flatMap((method) => {
    const operation = item[method];
    return operation ? [{ path, method: method.toUpperCase(), operation }] : [];
  });
}

function route({ path, method, operation }: ReturnType<typeof operationsOf>[number]): Html {
  return html`<details>
    <summary><code><b>${method}</b> ${path}</code> ${operation.summary ?? ""}</summary>
    <p>${operation.description ?? ""} ${needsOf(operation)}</p>
    <table>${(operation.parameters ?? []).filter((each) => "name" in each).map(parameterRow)}</table>
    ${operation.requestBody && "content" in operation.requestBody ? bodyOf(operation.requestBody.content) : ""}
    ${Object.entries(operation.responses ?? {}).map(([status, response]) => responseOf(status, response))}
  </details>`;
}

/** The least role, where the route asks for one. */
function needsOf({ security }: Operation): Html | "" {
  const least = security?.[0]?.["bearer"]?.[0];
  return least === undefined ? "" : html`Needs <code>${least}</code>.`;
}

function parameterRow(each: Parameter): Html {
  const needed = each.required ? "required" : "optional";
  return html`<tr><td><code>${each.name}</code></td><td>${each.in}, ${needed}</td><td>${each.description ?? ""}</td></tr>`;
}

function bodyOf(content: Record<string, { schema?: unknown }>): Html {
  return html`${Object.entries(content).map(([type, { schema }]) => html`<p>Takes <code>${type}</code> ${nameOf(schema)}</p>`)}`;
}

function responseOf(
  status: string,
  response: { description?: string; content?: Record<string, { schema?: unknown }> },
): Html {
  const types = Object.entries(response.content ?? {});
  return html`<p><b>${status}</b> ${response.description ?? ""}
    ${types.map(([type, { schema }]) => html`<code>${type}</code> ${nameOf(schema)}`)}</p>`;
}

/** A link to a named schema; nothing for one without a name. */
function nameOf(schema: unknown): Html | string {
  const reference = (schema as { $ref?: string } | undefined)?.$ref;
  if (reference === undefined) return "";
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function schemaOf(name: string, schema: unknown): Html {
  return html`<details id="schema-${name}"><summary><code>${name}</code></summary>
    <pre>${JSON.stringify(schema, null, 2)}</pre></details>`;
}

function errorRow(code: string, { status, title }: { status: number; title: string }): Html {
  return html`<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`;
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  summary { cursor: pointer; padding: 0.25rem 0; }
  details[open] { border-left: 3px solid; padding-left: 1rem; margin-bottom: 1rem; }
  td { padding: 0.15rem 1rem 0.15rem 0; vertical-align: top; }
  pre { overflow: auto; }
`;
