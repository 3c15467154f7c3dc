/** Token comparison: the claims of the tokens of one chain side by side, with what changed from hop to hop. */
import type { SeenToken, ToldClaim } from 'demo';
import { PARTIES, partyNamed } from './parties.js';

export interface ComparedClaim {
  readonly text: string;
  /** Against the token of the hop before; of the first token, and of a claim that neither has, nothing is said. */
  readonly change: 'changed' | 'same' | 'new' | 'gone' | undefined;
}

export interface TokenComparison {
  readonly columns: readonly { readonly service: string; readonly fingerprint: string }[];
  readonly rows: readonly {
    readonly claim: string;
    readonly meaning: string;
    readonly cells: readonly ComparedClaim[];
  }[];
  /** Whether the first is a user's at Service A. Else that acts as itself. */
  readonly hasUser: boolean;
  /** Whether all say that they are about one subject: that is issuer and `sub` together. */
  readonly sameSubject: boolean;
}

/** In the order of the page: who, for whom, what for, when. */
const MEANINGS: Readonly<Record<ToldClaim, string>> = {
  sub: 'whom it is about',
  preferred_username: 'and their name',
  aud: 'who may accept it',
  azp: 'which client asked for it',
  scope: 'what it permits',
  exp: 'when it ends',
  iat: 'when it was issued',
  jti: 'the number of the token',
  sid: 'the login it belongs to',
  typ: 'what kind it is',
  iss: 'who issued it',
};

export function compareTokens(tokens: readonly SeenToken[]): TokenComparison {
  const rows = (Object.entries(MEANINGS) as [ToldClaim, string][]).map(([claim, meaning]) => ({
    claim,
    meaning,
    cells: tokens.map(({ claims }, at) => compared(claim, claims[claim], tokens[at - 1]?.claims[claim], at > 0)),
  }));
  return {
    columns: tokens.map(({ service, fingerprint }) => ({
      service: partyNamed(service)?.label ?? service,
      fingerprint,
    })),
    // A claim that none of them has (the login, of a service account) would be an empty row.
    rows: rows.filter(({ cells }) => cells.some(({ text }) => text !== NONE)),
    hasUser: tokens[0]?.service === PARTIES['service-a'].name,
    sameSubject: tokens.every(
      ({ claims: { iss, sub } }) => sub !== undefined && iss === tokens[0]?.claims.iss && sub === tokens[0]?.claims.sub,
    ),
  };
}

type Value = SeenToken['claims'][ToldClaim];

const NONE = '–';

function compared(claim: ToldClaim, value: Value, before: Value, hasBefore: boolean): ComparedClaim {
  const [text, earlier] = [textOf(claim, value), textOf(claim, before)];
  if (!hasBefore || (value === undefined && before === undefined)) return { text, change: undefined };
  if (value === undefined) return { text, change: 'gone' };
  if (before === undefined) return { text, change: 'new' };
  return { text, change: text === earlier ? 'same' : 'changed' };
}

/** Lists in alphabetical order: how they are sorted in a token says nothing. */
function textOf(claim: ToldClaim, value: Value): string {
  if (value === undefined) return NONE;
  if (claim === 'scope') return String(value).split(' ').toSorted().join(' ');
  if (Array.isArray(value)) return (value as readonly string[]).toSorted().join(', ');
  return typeof value === 'number' ? timeOf(value) : String(value);
}

function timeOf(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime()) ? String(epochSeconds) : `${date.toISOString().slice(11, 19)} UTC`;
}
