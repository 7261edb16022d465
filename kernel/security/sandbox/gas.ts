import { LIMITS } from "../../limits.ts";

/** CPU that `gas` stands for, in milliseconds, by a published constant: clocks stand still while code runs. */
export function cpuMsOf(gas: number): number {
  return Math.ceil(gas * LIMITS.codeMsPerGas);
}
