import type { MiddlewareHandler } from "hono";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { readPieces, readText } from "../body.ts";
import type { AppEnv } from "../context.ts";
import { LiftedField } from "../lifted-field.ts";
import { problem } from "../problem.ts";

/**
 * The gate of routes that take JSON: 415 for another type, 413, 408 and 400 for a body that cannot be read, before any
 * schema sees it. The validator then finds the text in Hono's cache and parses it.
 */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  // Hono's router finds a route that ends in `*` twice for a path that does: a body is read once.
  if ("text" in c.req.bodyCache) return next();
  const typed = checkType(c.req.raw.headers);
  if (!typed.ok) return problem(c, typed.error);
  const text = await readText(c.req.raw);
  if (!text.ok) return problem(c, text.error);
  Object.assign(c.req.bodyCache, { text: Promise.resolve(text.value) });
  return next();
};

/**
 * The same for a body with one string of any length, which never is a string here: it waits in `c.var.lifted` as UTF-8, and
 * the validator finds a placeholder in its place, empty if it was.
 */
export function jsonBodyWithLong(field: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const typed = checkType(c.req.raw.headers);
    if (!typed.ok) return problem(c, typed.error);
    const lifted = new LiftedField(field);
    const length = await readPieces(c.req.raw, (piece) => lifted.take(piece));
    if (!length.ok) return problem(c, length.error);
    if (lifted.text !== null) c.set("lifted", lifted.text);
    Object.assign(c.req.bodyCache, { text: Promise.resolve(lifted.rest) });
    return next();
  };
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*;?\s*$/i;

function checkType(headers: Headers): Result<null> {
  if (!JSON_TYPE.test(headers.get("Content-Type") ?? "")) {
    return err("unsupported_media_type", "Send JSON in UTF-8 with `Content-Type: application/json`.");
  }
  const encoding = headers.get("Content-Encoding") ?? "identity";
  if (encoding === "identity") return ok(null);
  return err("unsupported_media_type", "Send the body as it is, without `Content-Encoding`.");
}
