/** Attempt form: parses what another service reports of an attempt, or of a token that it showed to others. */
import type { TokenRow } from '../matrix/token-row.js';
import type { AttackAnswer, Attempt, Sent, TokenInWords } from './attempt.js';

type Members = Readonly<Record<string, unknown>>;

const MAX_TEXT = 300;

/** Returns undefined when the report is not of the agreed form. Unknown fields are dropped. */
export function readAttempt(answer: unknown): Attempt | undefined {
  const { notRun, attack, control, token } = membersOf(answer);
  const [sentAttack, sentControl] = [readSent(attack), readSent(control)];
  // An attempt that was made counts: a `notRun` beside it must not hide its result.
  if (sentAttack === undefined || sentControl === undefined) return isText(notRun) ? { notRun } : undefined;
  return {
    attack: sentAttack,
    control: sentControl,
    ...(token === undefined ? {} : { token: readWords(token) }),
  };
}

/** The same for a row of the matrix. */
export function readTokenRow(given: unknown): TokenRow | undefined {
  const { token, expiresAt, doors } = membersOf(given);
  if (typeof expiresAt !== 'number' || !Array.isArray(doors)) return undefined;
  const read = doors.map((door: unknown) => {
    const { service, answer } = membersOf(door);
    const shown = readAnswer(answer);
    return isText(service) && shown !== undefined ? { service, answer: shown } : undefined;
  });
  if (!read.every((door) => door !== undefined)) return undefined;
  return { token: readWords(token), expiresAt, doors: read };
}

const readWords = (token: unknown): TokenInWords =>
  texts(membersOf(token), ['typ', 'azp', 'aud', 'scope']) as TokenInWords;

function readSent(given: unknown): Sent | undefined {
  const { what, answer } = membersOf(given);
  const shown = readAnswer(answer);
  return isText(what) && shown !== undefined ? { what, answer: shown } : undefined;
}

function readAnswer(answer: unknown): AttackAnswer | undefined {
  const members = membersOf(answer);
  const { status } = members;
  if (typeof status !== 'number' || !Number.isInteger(status)) return undefined;
  return { status, ...(texts(members, ['code', 'reason', 'permission']) as Partial<AttackAnswer>) };
}

function texts(members: Members, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = members[name];
      return isText(value) ? [[name, value]] : [];
    }),
  );
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT;

const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {});
