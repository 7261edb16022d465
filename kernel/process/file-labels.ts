import type { Sql, SqlRow } from "../ports.ts";
import { join, LABELS, type Label, labelOf, labelText } from "../security/label.ts";
import { mountOf, resolvePath, WORKSPACE } from "../storage/path.ts";

/**
 * What files carry: the label of whoever wrote them. It is raised before the content is written, so that a crash between the two
 * leaves a file that is trusted less than it might be, never more; and a file that is written again keeps the worst that it had.
 */

interface LabelRow extends SqlRow {
  path: string;
  label: string;
}

const GET = "SELECT * FROM file_labels WHERE path = ?";
const PUT =
  "INSERT INTO file_labels (path, label) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET label = excluded.label";
const DISTINCT = "SELECT DISTINCT '' AS path, label FROM file_labels";
const LIST = "SELECT * FROM file_labels ORDER BY path LIMIT ?";

export class FileLabels {
  readonly #sql: Sql;

  readonly #mount: string;

  /** Of the files in `mount`; other mounts keep labels themselves. */
  constructor(sql: Sql, mount = WORKSPACE) {
    this.#sql = sql;
    this.#mount = mount;
  }

  /** A file that nobody labelled was there before there were labels, or is not the process's own. */
  of(path: string): Label {
    const row = this.#sql.first<LabelRow>(GET, nameOf(path));
    return row === undefined ? LABELS.document : labelOf(row.label);
  }

  /** Before content is written. */
  raise(path: string, label: Label): void {
    if (mountOf(nameOf(path)) !== this.#mount) return;
    const row = this.#sql.first<LabelRow>(GET, nameOf(path));
    const raised = row === undefined ? label : join(labelOf(row.label), label);
    this.#sql.run(PUT, nameOf(path), labelText(raised));
  }

  /** Of all files together. */
  all(): Label {
    return join(...this.#sql.all<LabelRow>(DISTINCT).map(({ label }) => labelOf(label)));
  }

  list(limit: number): { path: string; label: string }[] {
    return this.#sql.all<LabelRow>(LIST, limit);
  }
}

function nameOf(path: string): string {
  const resolved = resolvePath(path);
  return resolved.ok ? resolved.value : path;
}
