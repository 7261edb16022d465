import { usd } from "../process/block.ts";
import { PLATFORM_PRICES as PRICES } from "./platform-prices.ts";
import { NO_USAGE, type PlatformBill, type PlatformUsage } from "./platform-usage.ts";

/** What the platform asks for the usage, rounded to the nano-dollar. */
export function platformBillOf(usage: PlatformUsage): PlatformBill {
  const { rowsRead, rowsWritten, cpuMs, r2ClassA, r2ClassB, queueOperations } = usage;
  const requests = usage.requests + usage.socketMessages / PRICES.socketMessagesPerRequest;
  const gbSeconds = (usage.activeMs * PRICES.objectMb) / 1_000_000;
  const costNanoUsd = Math.round(
    requests * PRICES.requestNanoUsd +
      gbSeconds * PRICES.gbSecondNanoUsd +
      rowsRead * PRICES.rowReadNanoUsd +
      rowsWritten * PRICES.rowWrittenNanoUsd +
      cpuMs * PRICES.cpuMsNanoUsd +
      r2ClassA * PRICES.r2ClassANanoUsd +
      r2ClassB * PRICES.r2ClassBNanoUsd +
      queueOperations * PRICES.queueOperationNanoUsd,
  );
  const counts = { requests: Math.ceil(requests), rowsRead, rowsWritten, gbSeconds, cpuMs };
  return { ...counts, r2ClassA, r2ClassB, queueOperations, costNanoUsd, costUsd: usd(costNanoUsd) };
}

export const NO_BILL: PlatformBill = platformBillOf(NO_USAGE);
