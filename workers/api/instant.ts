import * as z from "zod";

/** An instant in a query: RFC 3339, or a UTC day for its first moment. Comes out in UTC with milliseconds. */
export const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: "an RFC 3339 instant, or a day such as 2026-01-31",
  })
  .transform((text) => new Date(text).toISOString());
