export const realmPath = (realm: string): string => `/realms/${encodeURIComponent(realm)}`;
export const protocolPath = (realm: string): string => `${realmPath(realm)}/protocol/openid-connect`;

/** RFC 8414 §3: the well-known path goes before the path of the issuer. */
export const serverMetadataPath = (realm: string): string => `${SERVER_METADATA}${realmPath(realm)}`;
export const SERVER_METADATA = '/.well-known/oauth-authorization-server';
