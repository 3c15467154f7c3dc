import { createHash } from 'node:crypto';

/**
 * Returns `nestjs-keycloak-s2s:<client id>:{<hash of issuer and client id>}:`. An ACL user with the pattern
 * `~nestjs-keycloak-s2s:<client id>:*` reaches only the keys of its own service. The client id is percent-encoded, so a
 * client id can't contain the prefix of a different service. The part in braces keeps the keys in one slot of a Valkey
 * cluster.
 */
export function serviceKeyPrefix({ issuer, clientId }: { readonly issuer: string; readonly clientId: string }): string {
  const owner = createHash('sha256')
    .update(JSON.stringify([issuer, clientId]))
    .digest('hex')
    .slice(0, 16);
  return `nestjs-keycloak-s2s:${encodeURIComponent(clientId)}:{${owner}}:`;
}
