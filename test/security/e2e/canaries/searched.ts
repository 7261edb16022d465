import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Looks for secrets in what a kernel left behind and said, in every spelling in which one commonly gets out. */

export interface Text {
  /** A file, a table, a reply. */
  place: string;
  bytes: Buffer;
}

export function spellings(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const core = text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = bytes.toString("hex");
  const texts = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    hex,
    hex.toUpperCase(),
    ...base64,
  ];
  return [...new Set(texts)].flatMap((text) => [Buffer.from(text), Buffer.from(text, "utf16le")]);
}

/** Where the secrets are found: `name in place`. */
export function found(secrets: Readonly<Record<string, string>>, texts: readonly Text[]): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = spellings(secret);
    const places = texts.filter(({ bytes }) => forms.some((form) => bytes.includes(form)));
    return places.map(({ place }) => `${name} in ${place}`);
  });
}

/** Every file below `folder`: as it is, and each database by its rows too, because a page's end may cut a text. */
export function filesBelow(folder: string): Text[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  return files.flatMap((path) => {
    const file = { place: path, bytes: readFileSync(path) };
    return path.endsWith(".sqlite") ? [file, { place: `rows of ${path}`, bytes: rowsOf(path) }] : [file];
  });
}

function rowsOf(path: string): Buffer {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%fts%'")
    .all();
  const parts = tables.flatMap(({ name }) => readable(database, String(name)).flatMap(Object.values).map(bytesOf));
  database.close();
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from("\n")]));
}

/** Virtual tables need their modules, which this SQLite may not have; their shadow tables are tables too. */
function readable(database: DatabaseSync, table: string): object[] {
  try {
    return database.prepare(`SELECT * FROM "${table}"`).all();
  } catch {
    return [];
  }
}

function bytesOf(cell: unknown): Buffer {
  return cell instanceof Uint8Array ? Buffer.from(cell) : Buffer.from(String(cell));
}
