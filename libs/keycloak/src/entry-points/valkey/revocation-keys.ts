/** Revocation keys: the names under which the stream of one issuer's denials stands in the server. */
import { createHash } from 'node:crypto';

/**
 * Every service reads and writes `stream` and `state`, and reads `proof`. Pollers alone write `proof`, `lease` and
 * `leases`, so the users of the server can be told apart by these names.
 */
export interface RevocationKeys {
  readonly stream: string;
  readonly state: string;
  /** The signed proof that a poller wrote last. */
  readonly proof: string;
  /** Which poller polls now. */
  readonly lease: string;
  /** How many leases there were: the fencing number of the last one. */
  readonly leases: string;
}

/** The part in braces is the same in all names, so a cluster keeps them in one slot. */
export function revocationKeys(issuer: string): RevocationKeys {
  const name = createHash('sha256').update(issuer).digest('hex').slice(0, 16);
  const stream = `nestjs-keycloak-s2s:{${name}}:revocations`;
  return {
    stream,
    state: `${stream}:state`,
    proof: `${stream}:proof`,
    lease: `${stream}:lease`,
    leases: `${stream}:leases`,
  };
}
