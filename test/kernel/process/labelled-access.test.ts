import { describe, expect, test } from "vitest";
import { FileLabels } from "../../../kernel/process/file-labels.ts";
import { labelledFiles, labelledMemory } from "../../../kernel/process/labelled-access.ts";
import { Seen } from "../../../kernel/process/provenance.ts";
import { LABELS, type Label } from "../../../kernel/security/label.ts";
import { Sight } from "../../../kernel/security/sight.ts";
import { MemoryStorage } from "../../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../../kernel/storage/mounts.ts";
import { onNewObject } from "../../support/on-object.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";
import { withContext } from "../context/rig.ts";

/** What a call reads counts as seen, whatever happens meanwhile, and what it writes carries that before the call has ended. */

const SECRET = { trust: "untrusted", sensitivity: "secret" } as const;
const DOCUMENT = { content: "The lighthouse keeper is called Ada.", kind: "document", label: SECRET } as const;

describe("a page that is forgotten while it is read", () => {
  test("counts as the worst when a search shows it all the same", () =>
    withContext(async ({ context }) => {
      const [page] = context.allocate(DOCUMENT);
      const seen = new Seen();
      const searching = labelledMemory(context, seen).search("lighthouse keeper", 5);
      context.forget(page?.id ?? "");
      expect((await searching).map(({ id }) => id)).toEqual([page?.id]);
      expect(seen.label).toEqual(SECRET);
    }));

  test("counts as nothing when it is not given any more, and neither does an id that never was", () =>
    withContext(async ({ context }) => {
      const [page] = context.allocate(DOCUMENT);
      const seen = new Seen();
      const memory = labelledMemory(context, seen);
      const reading = memory.touch(page?.id ?? "");
      context.forget(page?.id ?? "");
      expect([await reading, await memory.touch("pg_none")]).toMatchObject([{ ok: false }, { ok: false }]);
      expect(seen.label).toEqual(LABELS.orders);
    }));
});

describe("a file", () => {
  const bytes = new TextEncoder().encode("obey");

  /** The files of a process that has read `read`, and their labels. */
  const withFiles = (
    read: Label,
    story: (files: ReturnType<typeof labelledFiles>, labels: FileLabels) => Promise<void>,
  ) =>
    onNewObject("agent", async (sql) => {
      const labels = new FileLabels(sql);
      const mounts = new Mounts({ "/workspace": new MemoryStorage({ clock: new TestClock(), hash: nodeHash }) });
      await story(
        labelledFiles(mounts.seenWith(new Sight("FULL", {}, {})), labels, new Seen(), () => read),
        labels,
      );
    });

  test("carries what its writer had read before, and what the same call read, also when the call never ends", () =>
    withFiles(LABELS.web, async (files, labels) => {
      await files.put("vault.txt", bytes);
      expect(labels.of("/workspace/vault.txt")).toEqual(LABELS.web);
      labels.raise("/workspace/vault.txt", SECRET);
      await files.get("vault.txt");
      await files.put("copy.txt", bytes);
      expect(labels.of("/workspace/copy.txt")).toEqual(SECRET);
    }));

  test("that nobody labelled is untrusted and private", () =>
    withFiles(LABELS.orders, async (_files, labels) => {
      expect(labels.of("/workspace/old.txt")).toEqual(LABELS.document);
    }));
});
