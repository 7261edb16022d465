import { isPublicIpv4 } from "./ip-address.ts";

/**
 * Which host names may stand for something public. A Worker cannot resolve a name before it connects, so this judges the name
 * alone: it must look like one that the public DNS delegates, and must not say itself that it is private. What a public
 * name resolves to is the network's business: see docs/egress.md.
 */

/** Names that mean this machine, this network, or a cloud's inside. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "home.arpa",
  "home",
  "lan",
  "intranet",
  "private",
  "corp",
  "svc",
  "consul",
  "default",
  "test",
  "invalid",
  "onion",
  "alt",
];

/** Public names whose purpose is to resolve to an address of the asker's choice, or to this machine. */
const REBINDING_SUFFIXES = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "backname.io",
  "traefik.me",
  "local.gd",
  "localho.st",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
  "1u.ms",
  "rbndr.us",
  "rebind.it",
  "rebind.network",
];

/** Labels of letters, digits, `-` and `_`; at least two; the last not a number. */
const PUBLIC_NAME = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME_CHARS = 253;

/** Four numbers in a row, between dots or dashes: an address that somebody wrote into a name. */
const EMBEDDED_QUAD = /(?<![a-z0-9])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})(?![a-z0-9])/g;

/** A trailing dot is the same name. */
export function withoutRoot(host: string): string {
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/** Whether `host`, the `hostname` of a URL, may be a public name. */
export function isPublicName(host: string): boolean {
  const name = withoutRoot(host);
  if (name.length > NAME_CHARS || !PUBLIC_NAME.test(name)) return false;
  if ([...PRIVATE_SUFFIXES, ...REBINDING_SUFFIXES].some((suffix) => isBelow(name, suffix))) return false;
  return !embedsPrivateAddress(name);
}

function isBelow(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}

function embedsPrivateAddress(name: string): boolean {
  return [...name.matchAll(EMBEDDED_QUAD)].some(([, ...parts]) => {
    const numbers = parts.slice(0, 4).map(Number);
    return numbers.every((part) => part <= 255) && !isPublicIpv4(numbers.join("."));
  });
}
