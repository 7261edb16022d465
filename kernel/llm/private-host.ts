/**
 * Whether a URL's host is the operator's own: this machine, a private network, or a name without a domain. What answers
 * there costs nothing; what answers anywhere else may send a bill.
 *
 * It judges prices only, by the spelling of the URL that the operator wrote. The guard for what tools may reach is another.
 */

const NAMES = /^(localhost|[^.:]+)$|\.(localhost|local|internal|lan|home\.arpa|test|example|invalid)$/;
const IPV4 = /^(127|10)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const IPV6 = /^\[(::1|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]$/;

export function isPrivateHost(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  if (/^\d+(\.\d+){3}$/.test(host)) return IPV4.test(host);
  return NAMES.test(host) || IPV6.test(host);
}
