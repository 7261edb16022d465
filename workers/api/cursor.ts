import { Buffer } from "node:buffer";
import type { Listing, ListOptions } from "../../durable-objects/agent/rpc.ts";
import { systemHash } from "../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * Cursors as clients see them: opaque, and good only for the list that gave them. The outside form is base64url of a
 * checksum over list and inner cursor, then the inner cursor; so a typo or a cursor of another list is refused here, and
 * objects see only cursors that they made.
 */

const CHECK_CHARS = 8;

/** What the query of a list says. */
export interface PageQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** The options that an object takes. `list` names the list, its owner included. */
export function listOptions(list: string, query: PageQuery): Result<ListOptions> {
  const { limit = LIMITS.pageListDefault } = query;
  if (query.cursor === undefined) return ok({ limit });
  const cursor = decode(list, query.cursor);
  if (cursor !== null) return ok({ limit, cursor });
  const message = "This is no cursor of this list; take `nextCursor` of its last page";
  return err("invalid_input", `query.cursor: ${message}.`, { issues: [{ path: "query.cursor", message }] });
}

/** An object's listing with its cursor in the outside form. */
export function sealed<T>(list: string, result: Result<Listing<T>>): Result<Listing<T>> {
  if (!result.ok || result.value.nextCursor === null) return result;
  return ok({ ...result.value, nextCursor: encode(list, result.value.nextCursor) });
}

function encode(list: string, inner: string): string {
  return Buffer.from(check(list, inner) + inner).toString("base64url");
}

/** `Buffer` skips what is no base64; the checksum finds that out. */
function decode(list: string, outer: string): string | null {
  if (outer.length > LIMITS.cursorChars) return null;
  const text = Buffer.from(outer, "base64url").toString();
  const inner = text.slice(CHECK_CHARS);
  return text.slice(0, CHECK_CHARS) === check(list, inner) ? inner : null;
}

function check(list: string, inner: string): string {
  return systemHash.sha256(`${list}\0${inner}`).slice(0, CHECK_CHARS);
}
