import { isText, membersOf, readAnswer, readWords } from '../attacks/attempt-form.js';
import { MAX_SEALED_LENGTH } from '../token-seal.js';
import type { TokenRow } from './token-row.js';

const MAX_EXPIRY = 1e11;

export function readTokenRow(given: unknown, services: readonly string[]): TokenRow | undefined {
  const { id, token, expiresAt, tries } = membersOf(given);
  if (typeof id !== 'string' || id.length > MAX_SEALED_LENGTH) return undefined;
  if (typeof expiresAt !== 'number' || !Number.isInteger(expiresAt) || Math.abs(expiresAt) > MAX_EXPIRY)
    return undefined;
  if (!Array.isArray(tries)) return undefined;
  const read = tries.map((item: unknown) => {
    const { service, answer } = membersOf(item);
    const shown = readAnswer(answer);
    return isText(service) && shown !== undefined ? { service, answer: shown } : undefined;
  });
  if (!read.every((item) => item !== undefined)) return undefined;
  if (read.map(({ service }) => service).join() !== services.join()) return undefined;
  return { id, token: readWords(token), expiresAt, tries: read };
}
