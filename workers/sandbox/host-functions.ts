import type { QuickJSContext } from "quickjs-emscripten-core";
import type { SandboxHost, SandboxRequest } from "../../kernel/security/sandbox/sandbox.ts";

/** What a program may reach. */
export interface Lent {
  host: SandboxHost;
  network: boolean;
  print(line: string): void;
  /** Told of every word with the host, before and after. */
  asked(text: string): void;
  answered(text: string): void;
}

/** Puts the functions of the host into the engine, for the prelude to take. */
export function lend(vm: QuickJSContext, lent: Lent): void {
  const printer = vm.newFunction("__print", (handle) => {
    const line = vm.getString(handle);
    lent.asked(line);
    lent.print(line);
    lent.answered("");
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
      const text = JSON.stringify(answer);
      promise.resolve(vm.newString(text));
      lent.answered(text);
    };
    work(argument).then(settle, (cause: unknown) =>
      settle({ ok: false, error: { code: "internal", message: String(cause) } }),
    );
    return promise.handle;
  });
  vm.setProp(vm.global, name, call);
}
