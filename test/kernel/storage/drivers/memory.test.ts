import { MemoryStorage } from "../../../../kernel/storage/drivers/memory.ts";
import { storageDriverContract } from "../../../contracts/storage-driver.ts";
import { nodeHash, TestClock } from "../../../support/ports.ts";

storageDriverContract("memory", async (story) => {
  const clock = new TestClock();
  await story(new MemoryStorage({ clock, hash: nodeHash }), clock);
});
