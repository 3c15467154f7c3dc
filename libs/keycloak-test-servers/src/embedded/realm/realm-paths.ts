export const realmPath = (realm: string): string => `/realms/${encodeURIComponent(realm)}`;
export const protocolPath = (realm: string): string => `${realmPath(realm)}/protocol/openid-connect`;
