/** Something that must never be, with what was seen. */
export interface Violation {
  check: string;
  saw: string;
}

/** Collects what one check finds; a check that finds the same thing everywhere does not flood the report. */
export class Findings {
  readonly violations: Violation[] = [];
  /** How often each check looked. */
  readonly looked = new Map<string, number>();

  /** Counts a look, and notes a violation when `holds` is false. */
  expect(check: string, holds: boolean, saw: () => string): void {
    this.looked.set(check, (this.looked.get(check) ?? 0) + 1);
    if (!holds) this.violations.push({ check, saw: saw() });
  }
}
