/** The runtime could not start, for a reason that its operator can change. The message is one line that says what to do. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * bad_setting = an environment variable has a value it does not take; state_locked = another runtime uses the state
 * folder; port_in_use = somebody listens there; not_built = `dist/` lacks the Worker; start_failed = workerd did not start.
 */
export type RuntimeErrorCode = "bad_setting" | "state_locked" | "port_in_use" | "not_built" | "start_failed";
