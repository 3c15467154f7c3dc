/** Attempt: what an attack of the demonstration sent and what came back, beside the honest use of the same credential. */

import { Logger } from '@nestjs/common';

/** Names and numbers of an answer: nothing that could hold a token. */
export interface AttackAnswer {
  /** 0 for an honest use that got no answer. */
  readonly status: number;
  readonly code?: string;
  /** The finer reason. Of Keycloak: its description. */
  readonly reason?: string;
  readonly permission?: string;
}

/** One request, in words, and its answer. */
export interface Sent {
  readonly what: string;
  readonly answer: AttackAnswer;
}

/** What the token in use says of itself. */
export type TokenInWords = Readonly<Partial<Record<'typ' | 'azp' | 'aud' | 'scope', string>>>;

export type Attempt =
  | {
      readonly attack: Sent;
      /** Must be accepted: else the refusal of the attack proves nothing. */
      readonly control: Sent;
      readonly token?: TokenInWords;
    }
  | {
      /** Why it could not be made, as a sentence. */
      readonly notRun: string;
    };

/** An attack that came to nothing because something on its way did not work: no refusal, and no proof. */
export class AttackNotRun extends Error {}

/** Both at the same time. An attack that got through is told of, whatever became of the honest use. */
export async function attempt(parts: {
  readonly attack: readonly [what: string, answer: Promise<AttackAnswer>];
  readonly control: readonly [what: string, answer: Promise<AttackAnswer>];
  readonly token?: string;
}): Promise<Attempt> {
  const { attack, control, token } = parts;
  const [attacked, controlled] = await Promise.allSettled([attack[1], control[1]]);
  if (attacked.status === 'rejected') throw attacked.reason;
  if (controlled.status === 'rejected' && !isAccepted(attacked.value)) throw controlled.reason;
  return {
    attack: { what: attack[0], answer: attacked.value },
    control: { what: control[0], answer: controlled.status === 'fulfilled' ? controlled.value : NO_ANSWER },
    ...(token === undefined ? {} : { token: inWords(token) }),
  };
}

const NO_ANSWER: AttackAnswer = { status: 0, reason: 'no answer' };

export const isAccepted = ({ status }: AttackAnswer): boolean => status >= 200 && status < 300;

const logger = new Logger('Attacks');

/** Ends what was made for an attempt. That this fails is for the log: what the attempt showed stands. */
export async function thenEnd(attempted: Promise<Attempt>, end: () => Promise<void>): Promise<Attempt> {
  try {
    return await attempted;
  } finally {
    await end().catch((error: unknown) => {
      const why = error instanceof AttackNotRun ? error.message : 'It failed.';
      logger.warn('What was made for an attack was not ended', { why });
    });
  }
}

const SHOWN_CLAIMS = ['typ', 'azp', 'aud', 'scope'] as const;

/** Its claims are read, not checked: it is a token of ours, and this is for display. */
function inWords(token: string): TokenInWords {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  return Object.fromEntries(
    SHOWN_CLAIMS.flatMap((name) => (claims[name] === undefined ? [] : [[name, [claims[name]].flat().join(' ')]])),
  );
}
