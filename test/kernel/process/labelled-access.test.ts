import { describe, expect, test } from "vitest";
import { labelledMemory } from "../../../kernel/process/labelled-access.ts";
import { Seen } from "../../../kernel/process/provenance.ts";
import { LABELS } from "../../../kernel/security/label.ts";
import { withContext } from "../context/rig.ts";

/** What a call reads of memory counts as seen, whatever happens to the pages while it reads. */

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
