import { SHOWN_CLAIMS, type AttackAnswer, type Attempt, type Sent, type TokenInWords } from './attempt.js';

type Members = Readonly<Record<string, unknown>>;

const MAX_TEXT = 300;

export function readAttempt(answer: unknown): Attempt | undefined {
  const { notRun, attack, control, token } = membersOf(answer);
  const [sentAttack, sentControl] = [readSent(attack), readSent(control)];
  if (sentAttack === undefined || sentControl === undefined) return isText(notRun) ? { notRun } : undefined;
  return {
    attack: sentAttack,
    control: sentControl,
    ...(token === undefined ? {} : { token: readWords(token) }),
  };
}

export const readWords = (token: unknown): TokenInWords => texts(membersOf(token), SHOWN_CLAIMS) as TokenInWords;

function readSent(given: unknown): Sent | undefined {
  const { what, answer } = membersOf(given);
  const shown = readAnswer(answer);
  return isText(what) && shown !== undefined ? { what, answer: shown } : undefined;
}

export function readAnswer(answer: unknown): AttackAnswer | undefined {
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

export const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT;

export const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null ? (value as Members) : {};
