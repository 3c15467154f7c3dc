import type { Clock } from '../src/caching/clock.js';
import type { IntrospectionAnswer } from '../src/protocol/claims.js';
import { tokenHash } from '../src/protocol/token-hash.js';
import type { VerifiedAccessToken } from '../src/protocol/verified-access-token.js';
import { AccessTokenJudge, type ClaimsSource, type JudgeOptions } from '../src/resource-server/judge-access-token.js';
import type { PermissionMapper } from '../src/resource-server/permission-mapper.js';

export interface SpecJudgeOptions extends JudgeOptions {
  readonly permissions: PermissionMapper | undefined;
}

export const judgeAccessToken = (
  text: string,
  source: ClaimsSource,
  given: IntrospectionAnswer,
  { permissions, ...options }: SpecJudgeOptions,
  clock: Clock,
  denials: { denies(token: VerifiedAccessToken): boolean },
): VerifiedAccessToken | Promise<VerifiedAccessToken> =>
  new AccessTokenJudge(options, clock, denials).judge(
    { text, hash: tokenHash(text), mapPermissions: permissions, context: undefined },
    source,
    given,
  );
