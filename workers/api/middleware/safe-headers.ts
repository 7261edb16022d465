import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";

/**
 * What browsers are told about each reply. The API's replies are data: never run, framed, sniffed or cached, even when an
 * agent's file looks like a page. Pages meant for browsers (the console, `/docs`) bring their own policy.
 */

const DATA_ONLY = "default-src 'none'; frame-ancestors 'none'; sandbox";

export const safeHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
  if (!headers.has("Content-Security-Policy") && !isPage(headers)) c.header("Content-Security-Policy", DATA_ONLY);
  c.header("X-Content-Type-Options", "nosniff");
  c.header("Referrer-Policy", "no-referrer");
};

function isPage(headers: Headers): boolean {
  return headers.get("Content-Type")?.startsWith("text/html") === true;
}
