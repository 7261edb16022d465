/** Comma-separated values (RFC 4180): a line of names, then a line a row. */

type Cell = string | number | null;

/** `columns` in their order; what a row does not have is an empty cell. */
export function csv<Row extends object>(columns: readonly (keyof Row & string)[], rows: readonly Row[]): string {
  const lines = rows.map((row) => columns.map((column) => cell(row[column] as Cell)).join(","));
  return [columns.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

/** Text that a spreadsheet would take for a formula is kept text by a quote before it. */
function cell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whether the reader asks for it: by `format`, which is the stronger word, or by the `Accept` header. */
export function wantsCsv(format: "json" | "csv" | undefined, accept: string | undefined): boolean {
  return format === undefined ? /^\s*text\/csv\b/i.test(accept ?? "") : format === "csv";
}
