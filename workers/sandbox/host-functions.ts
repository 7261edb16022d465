import type { QuickJSContext } from "quickjs-emscripten-core";
import type { SandboxHost, SandboxRequest } from "../../kernel/security/sandbox/sandbox.ts";

/** What a program may reach. */
export interface Lent {
  host: SandboxHost;
  network: boolean;
  print(line: string): void;
}

/** Puts the functions of the host into the engine, for the prelude to take. `answered` is told when one of them has an answer. */
export function lend(vm: QuickJSContext, { host, network, print }: Lent, answered: () => void): void {
  const printer = vm.newFunction("__print", (line) => {
    print(vm.getString(line));
    return vm.undefined;
  });
  vm.setProp(vm.global, "__print", printer);
  promised(vm, "__read", (path) => host.readFile(path), answered);
  promised(vm, "__list", (prefix) => host.listFiles(prefix), answered);
  if (network) promised(vm, "__fetch", (request) => host.fetch(JSON.parse(request) as SandboxRequest), answered);
}

/** A function of one string that gives a promise of the JSON text of its answer. */
function promised(
  vm: QuickJSContext,
  name: string,
  work: (argument: string) => Promise<unknown>,
  answered: () => void,
): void {
  const call = vm.newFunction(name, (argument) => {
    const promise = vm.newPromise();
    const settle = (answer: unknown) => {
      promise.resolve(vm.newString(JSON.stringify(answer)));
      answered();
    };
    work(vm.getString(argument)).then(settle, (cause: unknown) =>
      settle({ ok: false, error: { code: "internal", message: String(cause) } }),
    );
    return promise.handle;
  });
  vm.setProp(vm.global, name, call);
}
