/** A goal of security and what was measured of it: `S4: 100,000 hostile paths: 0 escapes`. The run ends with all of them. */
export function figure(goal: `S${number}`, measured: string): void {
  console.log(`${goal}: ${measured}`);
}
