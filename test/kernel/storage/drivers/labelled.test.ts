import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../kernel/limits.ts";
import { FileLabels } from "../../../../kernel/process/file-labels.ts";
import { LABELS } from "../../../../kernel/security/label.ts";
import { LabelledStorage } from "../../../../kernel/storage/drivers/labelled.ts";
import { SqliteStorage } from "../../../../kernel/storage/drivers/sqlite.ts";
import { SharedRoom } from "../../../../kernel/storage/shared-room.ts";
import { storageDriverContract } from "../../../contracts/storage-driver.ts";
import { onNewObject } from "../../../support/on-object.ts";
import { nodeHash, TestClock } from "../../../support/ports.ts";

/** The driver of what a tenant shares, on the schema of its object. */

type Story = (driver: LabelledStorage, clock: TestClock) => Promise<void>;

const onShared = (story: Story, stored = { files: 0, fileBytes: 0 }) =>
  onNewObject("shared-files", (sql) => {
    const clock = new TestClock();
    const files = new SqliteStorage({ sql, clock, hash: nodeHash }, new SharedRoom(() => stored));
    return story(new LabelledStorage(files, new FileLabels(sql, "/shared")), clock);
  });

storageDriverContract("what a tenant shares", (story) =>
  onShared((driver, clock) => {
    const bare = <T extends { label?: unknown }>({ label: _label, ...file }: T) => file;
    // The one difference: entries say what the content carries.
    const unlabelled = async <T>(answer: Promise<T>): Promise<T> =>
      JSON.parse(JSON.stringify(await answer, (key, value) => (key === "label" ? undefined : value))) as T;
    return story(
      {
        name: driver.name,
        get: async (path, range) => {
          const got = await driver.get(path, range);
          return got.ok ? { ok: true, value: { ...got.value, file: bare(got.value.file) } } : got;
        },
        put: (path, bytes, options) => unlabelled(driver.put(path, bytes, options)),
        delete: (path, options) => driver.delete(path, options),
        list: (prefix, options) => unlabelled(driver.list(prefix, options)),
      },
      clock,
    );
  }),
);

describe("files that agents share", () => {
  const bytes = new TextEncoder().encode("x");
  const secret = { trust: "user", sensitivity: "secret" } as const;

  test("carry the worst of all that wrote them, also to whoever only lists them", () =>
    onShared(async (driver) => {
      await driver.put("/shared/a", bytes, { label: secret });
      await driver.put("/shared/a", bytes, { label: LABELS.web });
      const worst = { trust: "untrusted", sensitivity: "secret" };
      expect(await driver.get("/shared/a")).toMatchObject({ value: { file: { version: 2, label: worst } } });
      expect(await driver.list("/shared/", { limit: 1 })).toMatchObject({ value: { items: [{ label: worst }] } });
    }));

  test("that nobody labelled are untrusted and private", () =>
    onShared(async (driver) => {
      expect(await driver.put("/shared/a", bytes)).toMatchObject({ value: { label: LABELS.document } });
    }));

  test.each([
    { files: LIMITS.sharedFiles, fileBytes: 0 },
    { files: 1, fileBytes: LIMITS.sharedFileBytes },
  ])("are bounded for the tenant: %j", (stored) =>
    onShared(async (driver) => {
      expect(await driver.put("/shared/a", bytes)).toMatchObject({ error: { code: "quota_exceeded" } });
    }, stored),
  );
});
