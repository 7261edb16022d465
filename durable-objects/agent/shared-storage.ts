import { err, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { PlatformMeter } from "../../kernel/platform/platform-meter.ts";
import type { StorageDriver } from "../../kernel/storage/driver.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { sharedFiles } from "../stubs.ts";

/**
 * `/shared` as an agent's mounts have it: another object, asked on the agent's account and with a deadline. A write that nobody
 * answered may have happened; the keys of system calls let it be sent again.
 */
export function sharedStorage(env: ObjectEnv, tenant: string, meter: PlatformMeter): StorageDriver {
  const files = sharedFiles(env, tenant);
  const asked = async <T>(what: string, answer: Promise<Result<T>>): Promise<Result<T>> => {
    meter.add({ requests: 1 });
    return (await within(LIMITS.rpcMs, what, answer)) ?? silent(what);
  };
  return {
    name: "shared",
    get: (path, range) => asked("read", files.read(path, range)),
    put: (path, bytes, options = {}) => asked("write", files.write(path, bytes, options)),
    delete: (path, options = {}) => asked("remove", files.remove(path, options)),
    list: (prefix, options) => asked("list", files.list(prefix, options)),
  };
}

function silent(what: string) {
  const isRead = what === "read" || what === "list";
  if (isRead) return err("unavailable", "What the tenant shares did not answer in time; try again.");
  return err("outcome_unknown", "What the tenant shares did not answer in time; read it before you write it again.");
}
