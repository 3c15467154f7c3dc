import { error, type Finding } from '../../checkup/finding.js';
import { unverifiedClaims } from '../../protocol/unverified-claims.js';

/** Keycloak has just accepted the token, so the token is valid by Keycloak's clock. */
export function administratorClockFinding(
  token: string,
  nowSeconds: number,
  toleranceSeconds: number,
): Finding | undefined {
  const { iat, exp } = unverifiedClaims(token);
  const ahead = typeof exp === 'number' ? nowSeconds - exp : 0;
  const behind = typeof iat === 'number' ? iat - nowSeconds : 0;
  const seconds = Math.round(Math.max(ahead, behind));
  if (!(seconds > toleranceSeconds)) return undefined;
  return error(
    'clock',
    `This machine's clock is ${ahead > behind ? 'ahead of' : 'behind'} Keycloak's by at least ${seconds} s, by the administrator's token; ${toleranceSeconds} s are tolerated (clockToleranceSeconds).`,
    'Set the clocks of both machines by NTP.',
  );
}
