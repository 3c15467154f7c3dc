import type { SeenToken, ShownClaim } from 'demo';
import { PARTIES, partyNamed } from './parties.js';

export interface ComparedClaim {
  readonly text: string;
  readonly change: 'changed' | 'same' | 'new' | 'gone' | undefined;
}

export interface TokenComparison {
  readonly columns: readonly { readonly service: string; readonly fingerprint: string }[];
  readonly rows: readonly {
    readonly claim: string;
    readonly meaning: string;
    readonly cells: readonly ComparedClaim[];
  }[];
  readonly hasUser: boolean;
  readonly sameSubject: boolean;
}

const MEANINGS: Readonly<Record<ShownClaim, string>> = {
  sub: 'the subject',
  preferred_username: "the subject's name",
  aud: 'who may accept it',
  azp: 'which client asked for it',
  scope: 'what it permits',
  exp: 'when it expires',
  iat: 'when it was issued',
  jti: "the token's id",
  sid: 'the login it belongs to',
  acr: 'how strongly its user logged in',
  auth_time: 'when its user logged in',
  typ: 'what kind it is',
  iss: 'who issued it',
};

export function compareTokens(tokens: readonly SeenToken[]): TokenComparison {
  const rows = (Object.entries(MEANINGS) as [ShownClaim, string][]).map(([claim, meaning]) => ({
    claim,
    meaning,
    cells: tokens.map(({ claims }, at) => compared(claim, claims[claim], tokens[at - 1]?.claims[claim], at > 0)),
  }));
  return {
    columns: tokens.map(({ service, fingerprint }) => ({
      service: partyNamed(service)?.label ?? service,
      fingerprint,
    })),
    rows: rows.filter(({ cells }) => cells.some(({ text }) => text !== NONE)),
    hasUser: tokens[0]?.service === PARTIES['service-a'].name,
    sameSubject: tokens.every(
      ({ claims: { iss, sub } }) => sub !== undefined && iss === tokens[0]?.claims.iss && sub === tokens[0]?.claims.sub,
    ),
  };
}

type Value = SeenToken['claims'][ShownClaim];

const NONE = '–';

function compared(claim: ShownClaim, value: Value, before: Value, hasBefore: boolean): ComparedClaim {
  const [text, earlier] = [textOf(claim, value), textOf(claim, before)];
  if (!hasBefore || (value === undefined && before === undefined)) return { text, change: undefined };
  if (value === undefined) return { text, change: 'gone' };
  if (before === undefined) return { text, change: 'new' };
  return { text, change: text === earlier ? 'same' : 'changed' };
}

function textOf(claim: ShownClaim, value: Value): string {
  if (value === undefined) return NONE;
  if (claim === 'scope') return String(value).split(' ').toSorted().join(' ');
  if (Array.isArray(value)) return (value as readonly string[]).toSorted().join(', ');
  return typeof value === 'number' ? timeOf(value) : String(value);
}

function timeOf(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime()) ? String(epochSeconds) : `${date.toISOString().slice(11, 19)} UTC`;
}
