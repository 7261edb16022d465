/**
 * Which IP addresses belong to the public internet. Deny by default for IPv6, of which only the global unicast block counts;
 * for IPv4, where everything was handed out, the registry of special-purpose addresses is refused (RFC 6890 and its
 * successors, multicast, and the platform addresses of clouds that lie in public ranges).
 *
 * It reads what `URL` writes: a dotted quad of decimal numbers, or IPv6 in brackets, compressed and in lower case. Every other
 * spelling of an address is brought to these two by the parser of URLs before anybody asks here.
 */

type Block = readonly [network: string, bits: number];

const SPECIAL_IPV4: readonly Block[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Azure's wire server: metadata and more, from every virtual machine.
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

const GLOBAL_UNICAST: Block = ["2000::", 3];

/** Parts of the global block that stand for other addresses (Teredo, 6to4) or for none (documentation, protocols). */
const SPECIAL_IPV6: readonly Block[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

/** ISATAP: a local IPv4 address as interface of any prefix, `...:0:5efe:a.b.c.d` or `...:200:5efe:a.b.c.d`. */
const ISATAP = [0x0000_5efe, 0x0200_5efe];

const QUAD = /^\d{1,3}(\.\d{1,3}){3}$/;

/** `host` is the `hostname` of a URL. Null when it is a name and no address. */
export function isPublicAddress(host: string): boolean | null {
  if (host.startsWith("[")) return isPublicIpv6(host.slice(1, -1));
  return QUAD.test(host) ? isPublicIpv4(host) : null;
}

export function isPublicIpv4(quad: string): boolean {
  const address = ipv4(quad);
  return !SPECIAL_IPV4.some(([network, bits]) => samePrefix(address, ipv4(network), 32 - bits));
}

function isPublicIpv6(text: string): boolean {
  const address = ipv6(text);
  const within = ([network, bits]: Block) => samePrefix(address, ipv6(network), 128 - bits);
  if (!within(GLOBAL_UNICAST) || SPECIAL_IPV6.some(within)) return false;
  return !ISATAP.includes(Number((address >> 32n) & 0xffff_ffffn));
}

function samePrefix(a: bigint, b: bigint, rest: number): boolean {
  return a >> BigInt(rest) === b >> BigInt(rest);
}

function ipv4(quad: string): bigint {
  return quad.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

/** Groups around at most one `::`; an embedded dotted quad does not occur, because `URL` does not write one. */
function ipv6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const left = groupsOf(head);
  const right = groupsOf(tail ?? "");
  const middle = Array.from({ length: 8 - left.length - right.length }, () => 0n);
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function groupsOf(text: string): bigint[] {
  return text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`));
}
