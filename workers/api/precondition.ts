import { err, ok, type Result } from "../../kernel/errors.ts";

/** A file's version as an entity tag. */
export function etag(version: number): string {
  return `"${version}"`;
}

const ETAG = /^"([1-9]\d{0,14})"$/;

/** `If-Match: "<version>"` and `If-None-Match: *` as the version that a write expects; undefined without either. */
export function expectedVersion(headers: Headers): Result<number | undefined> {
  const none = headers.get("If-None-Match");
  const match = headers.get("If-Match");
  if (none !== null) return none === "*" && match === null ? ok(0) : bad("If-None-Match", "takes `*`, and no If-Match");
  if (match === null) return ok(undefined);
  const version = ETAG.exec(match)?.[1];
  return version === undefined ? bad("If-Match", 'takes one version in quotes, such as `"3"`') : ok(Number(version));
}

function bad(header: string, message: string): Result<never> {
  const issues = [{ path: `header.${header}`, message: `It ${message}` }];
  return err("invalid_input", `${header} ${message}.`, { issues });
}
