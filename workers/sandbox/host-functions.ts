import type { QuickJSContext } from "quickjs-emscripten-core";
import type { SandboxHost, SandboxRequest } from "../../kernel/security/sandbox/sandbox.ts";

/** What a program may reach. */
export interface Lent {
  host: SandboxHost;
  network: boolean;
  printed(line: string): void;
  /** Told of every word with the host, before and after: `put` hands the answer in, and may break the engine. */
  asked(text: string): void;
  answered(text: string, put: () => void): void;
  /** Whether the engine is no more: an answer then has nowhere to go. */
  isOver(): boolean;
}

/** Puts the functions of the host into the engine, for the prelude to take. */
export function lend(vm: QuickJSContext, lent: Lent): void {
  const printer = vm.newFunction("__print", (handle) => {
    const line = vm.getString(handle);
    lent.printed(line);
    return vm.undefined;
  });
  vm.setProp(vm.global, "__print", printer);
  promised(vm, "__read", lent, (path) => lent.host.readFile(path));
  promised(vm, "__list", lent, (prefix) => lent.host.listFiles(prefix));
  if (lent.network) promised(vm, "__fetch", lent, (text) => lent.host.fetch(JSON.parse(text) as SandboxRequest));
}

/** A function of one string that gives a promise of the JSON text of its answer. */
function promised(vm: QuickJSContext, name: string, lent: Lent, work: (argument: string) => Promise<unknown>): void {
  const call = vm.newFunction(name, (handle) => {
    const argument = vm.getString(handle);
    lent.asked(argument);
    const promise = vm.newPromise();
    const settle = (answer: unknown) => {
      if (lent.isOver()) return;
      const text = JSON.stringify(answer);
      lent.answered(text, () => promise.resolve(vm.newString(text)));
    };
    work(argument).then(settle, (cause: unknown) =>
      settle({ ok: false, error: { code: "internal", message: String(cause) } }),
    );
    return promise.handle;
  });
  vm.setProp(vm.global, name, call);
}
