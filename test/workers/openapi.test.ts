import { beforeAll, describe, expect, test } from "vitest";
import { ERRORS } from "../../kernel/errors.ts";
import { createApp } from "../../workers/api/app.ts";
import { boot, json, request } from "./kernel-client.ts";

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
}
interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: Parameter[];
  responses: Record<string, unknown>;
}
interface Document {
  openapi: string;
  security: unknown;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

let document: Document;

beforeAll(async () => {
  await boot();
  document = await json<Document>(200, "GET", "/openapi.json", { key: null });
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

describe("/openapi.json", () => {
  test("is OpenAPI 3.1 with a bearer key", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.security).toEqual([{ bearer: [] }]);
    expect(document.components.securitySchemes["bearer"]).toMatchObject({ type: "http", scheme: "bearer" });
  });

  test("names every route that the app serves under /v1", () => {
    const served = createApp()
      .routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1/"))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}").replace("*", "{path}")}`);
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described).toEqual(expect.arrayContaining([...new Set(served)]));
  });

  test("describes every parameter, and every part of a path is one", () => {
    for (const { path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      for (const parameter of parameters) expect(parameter.description, `${path} ${parameter.name}`).toMatch(/\w{2}/);
      const inPath = parameters.filter((each) => each.in === "path" && each.required).map(({ name }) => `{${name}}`);
      expect(inPath.toSorted()).toEqual((path.match(/\{\w+\}/g) ?? []).toSorted());
    }
  });

  test("gives every operation behind the key the errors of its clients and a summary", () => {
    for (const { path, operation } of operations()) {
      expect(operation.summary, path).toMatch(/\w{2}/);
      if (!path.startsWith("/v1/")) continue;
      const isOpenAis = operation.tags?.includes("OpenAI") === true;
      const failure = JSON.stringify(operation.responses["default"]);
      expect(failure, path).toContain(isOpenAis ? "schemas/OpenAiError" : "schemas/Problem");
    }
  });

  test("refers only to schemas that it has", () => {
    const references = JSON.stringify(document).match(/#\/components\/schemas\/\w+/g) ?? [];
    const names = new Set(references.map((reference) => reference.split("/").at(-1) ?? ""));
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...names]));
    expect(names.size).toBeGreaterThan(20);
  });

  test("closes the bodies that it takes: an unknown field is refused there too", () => {
    expect(document.components.schemas["AgentSpec"]).toMatchObject({ additionalProperties: false });
  });
});

describe("/docs", () => {
  test("is one page without scripts or outside hosts that lists routes and errors", async () => {
    const response = await request("GET", "/docs", { key: null });
    const page = await response.text();
    expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|https?:\/\//);
    for (const path of Object.keys(document.paths)) expect(page).toContain(path);
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`id="error-${code}"`);
  });
});
