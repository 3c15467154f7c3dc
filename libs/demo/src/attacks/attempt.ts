import { Logger } from '@nestjs/common';

/** No field of the answer can contain a token. */
export interface AttackAnswer {
  readonly status: number;
  readonly code?: string;
  /** In an answer of Keycloak, the reason is the `error_description`. */
  readonly reason?: string;
  readonly permission?: string;
}

export interface Sent {
  readonly what: string;
  readonly answer: AttackAnswer;
}

export const SHOWN_CLAIMS = ['typ', 'azp', 'aud', 'scope', 'acr'] as const;

export type TokenInWords = Readonly<Partial<Record<(typeof SHOWN_CLAIMS)[number], string>>>;

export interface RefusedAfter {
  readonly service: string;
  readonly seconds: number;
}

export type Attempt =
  | {
      readonly attack: Sent;
      /**
       * An honest use of the credential, which the service must accept: otherwise the refusal of the attack proves
       * nothing.
       */
      readonly control: Sent;
      readonly token?: TokenInWords;
      readonly forged?: string;
      readonly refusedAfter?: readonly RefusedAfter[];
    }
  | {
      readonly notRun: string;
    };

export class AttackNotRun extends Error {}

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

export const NO_ANSWER: AttackAnswer = { status: 0, reason: 'no answer' };

export const isAccepted = ({ status }: AttackAnswer): boolean => status >= 200 && status < 300;

const logger = new Logger('Attacks');

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

/** Does not verify the token, since the token comes from Keycloak or the guard has verified the token. */
export function tokenInWords(token: string): { readonly words: TokenInWords; readonly expiresAt: number } {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const words = Object.fromEntries(
    SHOWN_CLAIMS.flatMap((name) => (claims[name] === undefined ? [] : [[name, [claims[name]].flat().join(' ')]])),
  );
  return { words, expiresAt: Number(claims['exp'] ?? 0) };
}
