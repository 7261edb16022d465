import { err, ok, type Result } from "../../errors.ts";

/** The time, for people and for models: in UTC, and as the clocks on the wall of an IANA time zone show it. */

export interface TimeNow {
  /** RFC 3339 in UTC, with milliseconds. */
  utc: string;
  timeZone: string;
  /** RFC 3339 with the zone's offset at that instant. */
  local: string;
  /** In English, in the zone. */
  weekday: string;
}

/** `instantMs` is in milliseconds since the epoch. An unknown zone is `invalid_input`. */
export function timeNow(instantMs: number, timeZone: string): Result<TimeNow> {
  const format = formatOf(timeZone);
  if (format === null) {
    return err(
      "invalid_input",
      `There is no time zone ${JSON.stringify(timeZone)}. Use an IANA name such as Asia/Shanghai or UTC.`,
    );
  }
  const parts = format.formatToParts(instantMs).map(({ type, value }) => [type, value] as const);
  const { year, month, day, hour, minute, second, weekday, timeZoneName } = Object.fromEntries(parts);
  const date = `${year?.padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}`;
  const utc = new Date(instantMs).toISOString();
  return ok({ utc, timeZone, local: date + offset(timeZoneName ?? ""), weekday: weekday ?? "" });
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "long",
      timeZoneName: "longOffset",
    });
  } catch {
    // The only thing that can be wrong is the zone: a RangeError.
    return null;
  }
}

/** `GMT+05:30` -> `+05:30`; UTC is `GMT` or `GMT+00:00`, by the version of ICU. */
function offset(name: string): string {
  return name.replace("GMT", "").slice(0, "+00:00".length) || "+00:00";
}
