import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { isPublicName } from "./host-name.ts";
import type { HostRules } from "./host-rules.ts";
import { isPublicAddress } from "./ip-address.ts";

/**
 * Where a request may go: https to a public host, or whatever the operator allowed by name. The URL is parsed once, here, by
 * the parser that `fetch` uses; what was judged is what is fetched, so no second reading can see another host in it.
 */

/** `forbidden` says why the guard refuses; `invalid_input` that it is no URL. */
export function targetOf(text: string, allow: HostRules): Result<URL> {
  const url = text.length <= LIMITS.urlChars ? URL.parse(text) : null;
  if (url === null)
    return err("invalid_input", `the URL is not one: an absolute https URL of at most ${LIMITS.urlChars} characters`);
  if (url.username !== "" || url.password !== "") {
    return err("forbidden", "a URL with a user name or a password is not fetched; send credentials in a header");
  }
  url.hash = "";
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return err("forbidden", `${url.protocol} is not fetched; only https is`);
  }
  if (allow.matches(url)) return ok(url);
  if (!(isPublicAddress(url.hostname) ?? isPublicName(url.hostname))) {
    return err("forbidden", `${url.host} is not a public host, and the operator has not allowed it`);
  }
  if (url.protocol !== "https:") return err("forbidden", `${url.host} is fetched by https only`);
  return ok(url);
}
