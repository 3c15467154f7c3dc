import type { Clock } from '../src/caching/clock.js';
import type { IntrospectionAnswer } from '../src/protocol/claims.js';
import { tokenHash } from '../src/protocol/token-hash.js';
import type { VerifiedAccessToken } from '../src/protocol/verified-access-token.js';
import {
  ClaimsVerifier,
  type ClaimsSource,
  type ClaimsVerifierOptions,
} from '../src/resource-server/claims-verifier.js';
import type { PermissionMapper } from '../src/resource-server/permission-mapper.js';

export interface SpecVerifierOptions extends ClaimsVerifierOptions {
  readonly permissions: PermissionMapper | undefined;
}

export const verifyClaims = (
  text: string,
  source: ClaimsSource,
  given: IntrospectionAnswer,
  { permissions, ...options }: SpecVerifierOptions,
  clock: Clock,
  denials: { denies(token: VerifiedAccessToken): boolean },
): VerifiedAccessToken | Promise<VerifiedAccessToken> =>
  new ClaimsVerifier(options, clock, denials).verify(
    { text, hash: tokenHash(text), mapPermissions: permissions, context: undefined },
    source,
    given,
  );
