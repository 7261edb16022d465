import type { Clock, Hash, Random } from "./ports.ts";

/**
 * Identifiers. `agt_` + 48-bit time + 80 random bits (Crockford base32, as in the ULID spec) + 4 characters of
 * SHA-256(tenant, id): ordered by time, and a made-up or foreign one is refused without waking an object.
 */

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";
const CHECK_CHARS = 4;

export type IdPorts = { clock: Clock; random: Random; hash: Hash };

function base32(value: bigint, chars: number): string {
  let text = "";
  for (let i = 0; i < chars; i++) {
    text = CROCKFORD[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return text;
}

function bits(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** A ULID in lower case: 10 characters of time, 16 of randomness. */
export function ulid(ports: Pick<IdPorts, "clock" | "random">): string {
  return base32(BigInt(ports.clock.now()), 10) + base32(bits(ports.random.bytes(10)), 16);
}

/** `<prefix>_` + ULID: ordered by creation time, unguessable. */
export function newId(
  prefix: "msg" | "call" | "crd" | "apr" | "seg" | "req" | "key" | "slot" | "rule",
  ports: Pick<IdPorts, "clock" | "random">,
): string {
  return `${prefix}_${ulid(ports)}`;
}

/** `pg_` + 60 random bits. Short, because models read and repeat it. Unique within an agent. */
export function newPageId(random: Random): string {
  return `pg_${base32(bits(random.bytes(8)), 12)}`;
}

function check(tenant: string, body: string, hash: Hash): string {
  const digest = hash.sha256(`${tenant}\0${body}`);
  return base32(BigInt(`0x${digest.slice(0, 8)}`), CHECK_CHARS);
}

/** A new agent's id in `tenant`. */
export function newAgentId(tenant: string, ports: IdPorts): string {
  const body = ulid(ports);
  return `agt_${body}${check(tenant, body, ports.hash)}`;
}

/** A new batch job's id in `tenant`, made like an agent's. */
export function newBatchId(tenant: string, ports: IdPorts): string {
  const body = ulid(ports);
  return `batch_${body}${check(tenant, body, ports.hash)}`;
}

const BATCH_ID = /^batch_([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{4})$/;

/** Whether `id` was made for a batch job of `tenant`. Says nothing about whether there is one. */
export function isBatchIdOf(tenant: string, id: string, hash: Hash): boolean {
  const match = BATCH_ID.exec(id);
  return match?.[1] !== undefined && match[2] === check(tenant, match[1], hash);
}

const AGENT_ID = /^agt_([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{4})$/;

/** Whether `id` was made for `tenant`. Says nothing about whether the agent still exists. */
export function isAgentIdOf(tenant: string, id: string, hash: Hash): boolean {
  const match = AGENT_ID.exec(id);
  return match?.[1] !== undefined && match[2] === check(tenant, match[1], hash);
}

/** A call's id follows from what it is: its message, step and attempt. Asking again asks for the same call. */
export function callIdOf(what: string, hash: Hash): string {
  return `call_${base32(BigInt(`0x${hash.sha256(what).slice(0, 32)}`), 26)}`;
}
