import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { Env } from "../../workers/env.ts";

/** A client of the kernel under test: real HTTP semantics, real objects, the embedded model. */

export const bindings = env as unknown as Env;
const worker = (exports as unknown as { default: Fetcher }).default;
const KEY = "the-key-of-the-tests";

/** Lets the client in. Once a file, because storage is isolated per file. */
export function boot(): void {
  bindings.AOS_ADMIN_KEY = KEY;
  bindings.AOS_SECRETS_KEY = "the-key-that-seals-the-secrets-of-the-tests";
}

export interface Call {
  body?: unknown;
  /** Sent as it is, with whatever type the headers say. */
  raw?: BodyInit;
  headers?: Record<string, string>;
  key?: string | null;
  tenant?: string;
}

export function request(method: string, path: string, call: Call = {}): Promise<Response> {
  const headers = new Headers(call.headers);
  if (call.key !== null) headers.set("Authorization", `Bearer ${call.key ?? KEY}`);
  if (call.tenant !== undefined) headers.set("X-AOS-Tenant", call.tenant);
  if (call.body !== undefined) headers.set("Content-Type", "application/json");
  const body = call.body === undefined ? call.raw : JSON.stringify(call.body);
  return worker.fetch(new Request(`https://kernel.test${path}`, { method, headers, ...(body && { body }) }));
}

/** The JSON of a reply that must have this status. */
export async function json<T = Record<string, unknown>>(
  status: number,
  method: string,
  path: string,
  call: Call = {},
): Promise<T> {
  const response = await request(method, path, call);
  const text = await response.text();
  expect(response.status, text).toBe(status);
  expect(response.headers.get("X-Request-Id")).toMatch(/^[\w.:-]+$/);
  return JSON.parse(text) as T;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  requestId: string;
  errors?: { path: string; message: string }[];
}

/** The problem document of a reply that must be this error. */
export async function problem(
  status: number,
  code: string,
  method: string,
  path: string,
  call: Call = {},
): Promise<Problem> {
  const response = await request(method, path, call);
  const document = (await response.json()) as Problem;
  expect({ status: response.status, code: document.code }, JSON.stringify(document)).toEqual({ status, code });
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(document).toMatchObject({ status, requestId: response.headers.get("X-Request-Id") });
  return document;
}

/** A daemon on the embedded model: it answers messages until it is ended. */
export function spawnDaemon(spec: Record<string, unknown> = {}, tenant = "default"): Promise<ControlBlock> {
  const body = { name: "reader", role: "librarian", goal: "Wait for questions.", model: "local/reader", daemon: true };
  return json<ControlBlock>(201, "POST", "/v1/agents", { body: { ...body, ...spec }, tenant });
}
