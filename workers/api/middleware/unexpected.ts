import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { AppEnv } from "../context.ts";
import { refuse } from "../problem.ts";

/** The end of every exception: a bug is logged in full and answered without details. */
export const unexpected: ErrorHandler<AppEnv> = (error, c) => {
  if (error instanceof HTTPException && error.status === 400) return refuse(c, "invalid_json", "The body is not JSON.");
  if (error instanceof HTTPException && error.status === 415) {
    return refuse(c, "unsupported_media_type", "Send JSON in UTF-8 with `Content-Type: application/json`.");
  }
  const { requestId } = c.var;
  const facts = { name: error.name, message: error.message, stack: error.stack };
  console.error(JSON.stringify({ level: "error", event: "http.unexpected", requestId, path: c.req.path, ...facts }));
  return refuse(c, "internal", "Something broke inside the kernel. It is logged under this request id.");
};
