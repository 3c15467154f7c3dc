import { createHash } from 'node:crypto';

/**
 * Returns `nestjs-keycloak-s2s:<client id>:{<hash of issuer and client id>}:`. An ACL user with the pattern
 * `~nestjs-keycloak-s2s:<client id>:*` reaches only its own service's keys. The client id is percent-encoded, so it
 * can't contain another service's prefix. The part in braces keeps the keys in one slot of a Valkey cluster.
 */
export function serviceKeyPrefix({ issuer, clientId }: { readonly issuer: string; readonly clientId: string }): string {
  const owner = createHash('sha256')
    .update(JSON.stringify([issuer, clientId]))
    .digest('hex')
    .slice(0, 16);
  return `nestjs-keycloak-s2s:${encodeURIComponent(clientId)}:{${owner}}:`;
}
