import { LIMITS } from "../../../kernel/limits.ts";
import type { FileEntry, FileVersion } from "../../../kernel/storage/driver.ts";
import { agentPath } from "./agents.ts";
import { AosError } from "./aos-error.ts";
import { everyItem } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** Routes of a process's file system. Paths are absolute in its mounts; relative ones start at `/workspace`. */
export class Files {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET .../files`: every file below `prefix`, in the order of paths. */
  list(agentId: string, options: { prefix?: string } = {}): AsyncGenerator<FileEntry> {
    return everyItem(this.#transport, `${agentPath(agentId)}/files`, { prefix: options.prefix });
  }

  /** `GET .../files/{path}`: the content, or that of an earlier `version` that is kept. */
  async read(agentId: string, path: string, { version }: { version?: number } = {}): Promise<Uint8Array> {
    const query = version === undefined ? "" : `?version=${version}`;
    const response = await this.#transport.send(filePath(agentId, path) + query, { deadlineMs: LIMITS.clientBulkMs });
    return new Uint8Array(await response.arrayBuffer());
  }

  /** `PUT .../files/{path}`: at most 16 MiB. `ifVersion: 0` = only when absent; `version_conflict`. */
  async write(
    agentId: string,
    path: string,
    content: string | Uint8Array<ArrayBuffer>,
    options: { ifVersion?: number } = {},
  ): Promise<FileEntry> {
    const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const headers = { "content-type": "application/octet-stream", ...precondition(options.ifVersion) };
    return await this.#transport.json(filePath(agentId, path), {
      method: "PUT",
      body,
      headers,
      deadlineMs: LIMITS.clientBulkMs,
    });
  }

  /** `GET .../file-versions/{path}`: earlier versions that are kept, newest first, also of a file that was deleted. */
  async versions(agentId: string, path: string): Promise<FileVersion[]> {
    const { items } = await this.#transport.json<{ items: FileVersion[] }>(filePath(agentId, path, "file-versions"));
    return items;
  }

  /** `POST .../file-versions/{path}`: writes an earlier version again, as a new one; `not_found` when it is not kept. */
  async rollback(agentId: string, path: string, version: number): Promise<FileEntry> {
    return await this.#transport.json(filePath(agentId, path, "file-versions"), {
      method: "POST",
      body: { version },
    });
  }

  /** `DELETE .../files/{path}`. */
  async remove(agentId: string, path: string): Promise<void> {
    await this.#transport.json(filePath(agentId, path), { method: "DELETE" });
  }
}

/** A path that climbs is refused here: a URL would quietly resolve it to some other route. */
function filePath(agentId: string, path: string, route: "files" | "file-versions" = "files"): string {
  const segments = path.replace(/^\/+/, "").split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new AosError({ status: 422, code: "invalid_input", detail: `a path has no "." or ".." in it: ${path}` });
  }
  return `${agentPath(agentId)}/${route}/${segments.map(encodeURIComponent).join("/")}`;
}

function precondition(ifVersion: number | undefined): Record<string, string> {
  if (ifVersion === undefined) return {};
  return ifVersion === 0 ? { "if-none-match": "*" } : { "if-match": `"${ifVersion}"` };
}
