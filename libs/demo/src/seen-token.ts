/** In demo mode, a service shows a received token's claims, never the text. */
import type { VerifiedAccessToken } from 'nestjs-keycloak-s2s';

const SHOWN_CLAIMS = [
  'iss',
  'sub',
  'preferred_username',
  'typ',
  'azp',
  'aud',
  'scope',
  'sid',
  'acr',
  'auth_time',
  'jti',
  'iat',
  'exp',
] as const;

const MAX_TOKENS = 8;

export type ShownClaim = (typeof SHOWN_CLAIMS)[number];

export interface SeenToken {
  readonly service: string;
  readonly fingerprint: string;
  readonly claims: Readonly<Partial<Record<ShownClaim, string | number | readonly string[]>>>;
}

export function seenToken(service: string, { fingerprint, claims }: VerifiedAccessToken): SeenToken {
  return { service, fingerprint, claims: shownClaims(claims) };
}

export function seenTokens(answer: unknown): readonly SeenToken[] | undefined {
  if (!Array.isArray(answer) || answer.length > MAX_TOKENS) return undefined;
  const seen = answer.map((item: unknown) => {
    const { service, fingerprint, claims } = Object(item) as Readonly<Record<string, unknown>>;
    if (typeof service !== 'string' || typeof fingerprint !== 'string') return undefined;
    return { service, fingerprint, claims: shownClaims(Object(claims) as Readonly<Record<string, unknown>>) };
  });
  return seen.every((token) => token !== undefined) ? seen : undefined;
}

function shownClaims(claims: Readonly<Record<string, unknown>>): SeenToken['claims'] {
  return Object.fromEntries(
    SHOWN_CLAIMS.map((name) => [name, claims[name]] as const).filter(([, value]) => isShown(value)),
  );
}

function isShown(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return typeof value === 'string' || typeof value === 'number';
}
