/** Seen token: what a service tells, in demo mode, of a token that it was called with; never its text. */
import type { VerifiedAccessToken } from 'nestjs-keycloak-s2s';

/** In the order in which they are told. What is not here (an email, roles) is nobody's business. */
const TOLD = ['iss', 'sub', 'preferred_username', 'typ', 'azp', 'aud', 'scope', 'sid', 'jti', 'iat', 'exp'] as const;

/** Tokens in one answer. */
const MOST = 8;

export type ToldClaim = (typeof TOLD)[number];

export interface SeenToken {
  /** The service that was called with it. */
  readonly service: string;
  readonly fingerprint: string;
  readonly claims: Readonly<Partial<Record<ToldClaim, string | number | readonly string[]>>>;
}

export function seenToken(service: string, { fingerprint, claims }: VerifiedAccessToken): SeenToken {
  return { service, fingerprint, claims: toldClaims(claims) };
}

/** The parser at the border: what another service told of its tokens; undefined when it is not of that form. */
export function seenTokens(answer: unknown): readonly SeenToken[] | undefined {
  if (!Array.isArray(answer) || answer.length > MOST) return undefined;
  const seen = answer.map((item: unknown) => {
    const { service, fingerprint, claims } = Object(item) as Readonly<Record<string, unknown>>;
    if (typeof service !== 'string' || typeof fingerprint !== 'string') return undefined;
    return { service, fingerprint, claims: toldClaims(Object(claims) as Readonly<Record<string, unknown>>) };
  });
  return seen.every((token) => token !== undefined) ? seen : undefined;
}

function toldClaims(claims: Readonly<Record<string, unknown>>): SeenToken['claims'] {
  return Object.fromEntries(TOLD.map((name) => [name, claims[name]] as const).filter(([, value]) => isTold(value)));
}

function isTold(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return typeof value === 'string' || typeof value === 'number';
}
