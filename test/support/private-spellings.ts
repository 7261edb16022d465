/**
 * Hosts that are not public, in every spelling that parsers of URLs are known to take: over a thousand. What is no URL at all for
 * one parser may be one for another, so nothing is left out here.
 */

const PRIVATE_IPV4 = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.100.100.200",
  "100.127.255.255",
  "168.63.129.16",
  "169.254.1.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.254",
  "192.0.0.192",
  "192.0.2.1",
  "192.168.0.1",
  "192.168.255.255",
  "198.18.0.1",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
];

const PRIVATE_IPV6 = [
  "::",
  "::1",
  "0:0:0:0:0:0:0:1",
  "0000:0000:0000:0000:0000:0000:0000:0001",
  "0::1",
  "::0001",
  "fc00::1",
  "fd00:ec2::254",
  "fdff:ffff::1",
  "fe80::1",
  "fe80::1%25eth0",
  "fe80::1%eth0",
  "::1%25lo",
  "febf::1",
  "fec0::1",
  "ff02::1",
  "ff0e::1",
  "100::1",
  "2001::1",
  "2001:10::1",
  "2001:20::1",
  "2001:db8::1",
  "3fff::1",
  "5f00::1",
  "2606:4700::5efe:7f00:1",
  "2606:4700::200:5efe:a00:1",
];

const NAMES = [
  "localhost",
  "LOCALHOST",
  "LocalHost",
  "localhost.",
  "localhost.localdomain",
  "a.localhost",
  "a.b.LOCALHOST.",
  "printer.local",
  "nas.LOCAL",
  "db.internal",
  "metadata.google.internal",
  "METADATA.GOOGLE.INTERNAL.",
  "metadata",
  "instance-data",
  "instance-data.ec2.internal",
  "host.docker.internal",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "router.home.arpa",
  "router.home",
  "router.lan",
  "wiki.corp",
  "wiki.intranet",
  "vault.service.consul",
  "intranet",
  "app.test",
  "x.invalid",
  "ｌｏｃａｌｈｏｓｔ",
  "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
  "local%68ost",
  "%6c%6f%63%61%6c%68%6f%73%74",
  "localtest.me",
  "a.localtest.me",
  "lvh.me",
  "vcap.me",
  "127.0.0.1.nip.io",
  "10-0-0-1.nip.io",
  "7f000001.nip.io",
  "www.127.0.0.1.sslip.io",
  "127.0.0.1.xip.io",
  "7f000001.c0a80001.rbndr.us",
  "make-1.1.1.1-rebind-127.0.0.1-rr.1u.ms",
  "10.0.0.1.example.com",
  "app-192-168-0-1.example.com",
  "169-254-169-254.example.org",
  "127。0。0。1.nip.io",
];

/** What may stand before and after a host. */
const WRAPS = [
  (host: string, port: number) => `https://${host}:${port}/`,
  (host: string, port: number) => `HTTPS:\\\\${host}:${port}\\x`,
  (host: string, port: number) => `https:${host}:${port}/latest/meta-data/`,
  (host: string, port: number) => ` https://\t${host}\n:${port}/#https://example.com/`,
];
const TRICKS = [
  (host: string, port: number) => `https://example.com@${host}:${port}/`,
  (host: string, port: number) => `https://example.com:443@${host}:${port}/`,
  (host: string, port: number) => `https://example.com%40${host}:${port}/`,
  (host: string, port: number) => `https://${host}:${port}\\@example.com/`,
  (host: string, port: number) => `https://${host}:${port}#@example.com/`,
  (host: string, port: number) => `https://${host}:${port}?@example.com/`,
  (host: string, port: number) => `http://${host}:${port}/`,
  (host: string, port: number) => `ftp://${host}:${port}/`,
];

/** Every URL names `port`, so that one whose host is this machine's would reach whoever listens there. */
export function privateUrls(port: number): string[] {
  const hosts = [...PRIVATE_IPV4.flatMap(ipv4Spellings), ...ipv6Spellings(), ...NAMES];
  const plain = [...new Set(hosts)].map((host, index) => (WRAPS[index % WRAPS.length] ?? WRAPS[0])?.(host, port));
  const direct = [...new Set(hosts)].map((host) => WRAPS[0]?.(host, port));
  const tricks = ["127.0.0.1", "[::1]", "localhost", "2130706433"].flatMap((host) =>
    TRICKS.map((trick) => trick(host, port)),
  );
  return [...new Set([...direct, ...plain, ...tricks])].filter((url) => url !== undefined);
}

function ipv4Spellings(quad: string): string[] {
  const bytes = quad.split(".").map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (value: number) => `0x${value.toString(16)}`;
  const octal = (value: number) => `0${value.toString(8)}`;
  const mapped = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return [
    quad,
    `${quad}.`,
    String(number),
    `${number}.`,
    hex(number),
    hex(number).toUpperCase().replace("0X", "0x"),
    `0X${number.toString(16)}`,
    octal(number),
    bytes.map(hex).join("."),
    bytes.map((byte) => `0x${byte.toString(16).padStart(8, "0")}`).join("."),
    bytes.map(octal).join("."),
    bytes.map((byte) => `000${octal(byte)}`).join("."),
    `${hex(a)}.${b}.${octal(c)}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${hex((b * 256 + c) * 256 + d)}`,
    quad.replaceAll(".", "。"),
    quad.replaceAll(".", "．"),
    quad.replaceAll(".", "%2e"),
    quad.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    quad.replace(/[1-9]/g, (digit) => String.fromCodePoint(0x2460 + Number(digit) - 1)),
    quad.replace(/\d/g, (digit) => `%3${digit}`),
    `[::ffff:${quad}]`,
    `[::FFFF:${mapped}]`,
    `[0:0:0:0:0:ffff:${mapped}]`,
    `[::${quad}]`,
    `[::ffff:0:${quad}]`,
    `[64:ff9b::${quad}]`,
    `[64:ff9b:1::${quad}]`,
    `[2002:${mapped}::1]`,
    `[2001:0:${mapped}::1]`,
  ];
}

function ipv6Spellings(): string[] {
  return PRIVATE_IPV6.flatMap((address) => [`[${address}]`, `[${address.toUpperCase()}]`]);
}
