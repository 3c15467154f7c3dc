/** Attempt: the request and the answer of an attack, beside those of the honest use of the same credential. */

import { Logger } from '@nestjs/common';

/** The names and numbers of an answer; no field can hold a token. */
export interface AttackAnswer {
  /** 0 for an honest use that got no answer. */
  readonly status: number;
  readonly code?: string;
  /** The finer reason; in an answer of Keycloak, its `error_description`. */
  readonly reason?: string;
  readonly permission?: string;
}

/** One request, described in words, and its answer. */
export interface Sent {
  readonly what: string;
  readonly answer: AttackAnswer;
}

/** The claims of the token in use that are shown. */
export type TokenInWords = Readonly<Partial<Record<'typ' | 'azp' | 'aud' | 'scope' | 'acr', string>>>;

export interface RefusedAfter {
  /** Such as `Service A`. */
  readonly service: string;
  readonly seconds: number;
}

export type Attempt =
  | {
      readonly attack: Sent;
      /** The honest use. It must be accepted, or the refusal of the attack proves nothing. */
      readonly control: Sent;
      readonly token?: TokenInWords;
      /** What the attacker changed in that token, in words. */
      readonly forged?: string;
      /** Of a token that was good: how late each service refused it. */
      readonly refusedAfter?: readonly RefusedAfter[];
    }
  | {
      /** A sentence that says why the attack could not be made. */
      readonly notRun: string;
    };

/** Thrown when an attack could not be made because something else failed: it was not refused, and proves nothing. */
export class AttackNotRun extends Error {}

/** Runs attack and honest use at the same time. An attack that succeeded is reported even when the honest use failed. */
export async function attempt(parts: {
  readonly attack: readonly [what: string, answer: Promise<AttackAnswer>];
  readonly control: readonly [what: string, answer: Promise<AttackAnswer>];
  readonly token?: string;
  readonly forged?: string;
}): Promise<Attempt> {
  const { attack, control, token, forged } = parts;
  const [attacked, controlled] = await Promise.allSettled([attack[1], control[1]]);
  if (attacked.status === 'rejected') throw attacked.reason;
  if (controlled.status === 'rejected' && !isAccepted(attacked.value)) throw controlled.reason;
  return {
    attack: { what: attack[0], answer: attacked.value },
    control: { what: control[0], answer: controlled.status === 'fulfilled' ? controlled.value : NO_ANSWER },
    ...(token === undefined ? {} : { token: tokenInWords(token).words }),
    ...(forged === undefined ? {} : { forged }),
  };
}

/** Of a service that gave none. */
export const NO_ANSWER: AttackAnswer = { status: 0, reason: 'no answer' };

export const isAccepted = ({ status }: AttackAnswer): boolean => status >= 200 && status < 300;

const logger = new Logger('Attacks');

/** Cleans up after an attempt. A failed clean-up is logged, and does not change the attempt's result. */
export async function thenCleanUp(attempted: Promise<Attempt>, cleanUp: () => Promise<void>): Promise<Attempt> {
  try {
    return await attempted;
  } finally {
    await cleanUp().catch((error: unknown) => {
      const why = error instanceof AttackNotRun ? error.message : 'Unexpected error.';
      logger.warn('Clean-up after an attack failed', { why });
    });
  }
}

const SHOWN_CLAIMS = ['typ', 'azp', 'aud', 'scope', 'acr'] as const;

/** Reads the claims without checking the token, since it is our own and they are for display. */
export function tokenInWords(token: string): { readonly words: TokenInWords; readonly expiresAt: number } {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const words = Object.fromEntries(
    SHOWN_CLAIMS.flatMap((name) => (claims[name] === undefined ? [] : [[name, [claims[name]].flat().join(' ')]])),
  );
  return { words, expiresAt: Number(claims['exp'] ?? 0) };
}
