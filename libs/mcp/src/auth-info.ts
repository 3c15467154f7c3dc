import type { VerifiedAccessToken } from 'nestjs-keycloak-s2s';

/** The type `AuthInfo` of the official MCP SDK. */
export interface McpAuthInfo {
  readonly token: '';
  readonly clientId: string;
  readonly scopes: string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly extra: { readonly caller: VerifiedAccessToken };
  readonly resourceMetadataUrl?: string;
}

/**
 * Returns the verified caller in the form of the official MCP SDK, for `request.auth`. A tool finds the caller in
 * `authInfo.extra.caller`.
 *
 * The member `token` is empty, because a tool must not send its caller's token to another service. `metadataUrl` (RFC
 * 9728) is the URL that the challenges of the SDK's `scopeChallenge` name; `HandlerAccess.metadataUrlOf()` returns it.
 */
export const authInfoOf = (caller: VerifiedAccessToken, metadataUrl?: string): McpAuthInfo => ({
  token: '',
  clientId: caller.clientId,
  scopes: [...caller.permissions],
  expiresAt: caller.expiresAt,
  extra: { caller },
  ...(metadataUrl === undefined ? {} : { resourceMetadataUrl: metadataUrl }),
});
