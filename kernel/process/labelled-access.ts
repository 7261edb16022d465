import type { ContextManager } from "../context/context-manager.ts";
import { join, type Label, labelOf } from "../security/label.ts";
import type { StorageDriver } from "../storage/driver.ts";
import type { FilesInSight } from "../storage/files-in-sight.ts";
import type { Memory } from "../syscall.ts";
import type { FileLabels } from "./file-labels.ts";
import type { Seen } from "./provenance.ts";

/** A process's memory and files as one call gets them: what it reads counts as seen, what it writes carries what was seen. */

export function labelledMemory(context: ContextManager, seen: Seen): Memory {
  const { memory } = context;
  const see = (ids: readonly string[]) => {
    for (const label of context.labelsOf(ids)) seen.add(labelOf(label));
  };
  return {
    ...memory,
    search: async (query, limit) => {
      const hits = await memory.search(query, limit);
      see(hits.map(({ id }) => id));
      return hits;
    },
    touch: async (pageId) => {
      const touched = await memory.touch(pageId);
      if (touched.ok) see([pageId]);
      return touched;
    },
  };
}

/** `read` = what the process has read before this call. */
export function labelledFiles(files: FilesInSight, labels: FileLabels, seen: Seen, read: () => Label): StorageDriver {
  return {
    name: files.name,
    get: async (path, range) => {
      const got = await files.get(path, range);
      if (got.ok) seen.add(got.value.file.label ?? labels.of(got.value.file.path));
      return got;
    },
    put: async (path, bytes, options) => {
      const refused = files.refusal(path);
      if (refused !== null) return refused;
      const label = join(read(), seen.label);
      labels.raise(path, label);
      return files.put(path, bytes, { ...options, label });
    },
    delete: (path, options) => files.delete(path, options),
    list: async (prefix, options) => {
      const listed = await files.list(prefix, options);
      if (listed.ok) for (const { path, label } of listed.value.items) seen.add(label ?? labels.of(path));
      return listed;
    },
  };
}
