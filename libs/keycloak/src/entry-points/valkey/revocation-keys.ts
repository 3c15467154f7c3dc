import { createHash } from 'node:crypto';

/** Only pollers write `proof`, `lease` and `leases`, so ACL rules can reserve these keys. */
export interface RevocationKeys {
  readonly stream: string;
  readonly state: string;
  readonly proof: string;
  readonly lease: string;
  readonly leases: string;
}

/** The part in braces keeps the keys in one slot of a Valkey cluster. */
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
