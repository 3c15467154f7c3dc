/** TokenSeal: encrypts a text, such as a token, for a caller that stores the text but can't read or use it. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Because of this `info`, no other part of the demo derives the same key (RFC 5869). */
const INFO = 'nestjs-keycloak-s2s demo, sealed token';

export interface SealedToken {
  readonly sealed: string;
  /** The expiry, in seconds since the epoch. */
  readonly expiresAt: number;
}

export const MAX_SEALED_LENGTH = 8192;

export function readSealedToken(given: unknown): SealedToken | undefined {
  const { sealed, expiresAt } = Object(given) as Readonly<Record<string, unknown>>;
  if (typeof sealed !== 'string' || sealed.length > MAX_SEALED_LENGTH) return undefined;
  return typeof expiresAt === 'number' && Number.isInteger(expiresAt) ? { sealed, expiresAt } : undefined;
}

/** The key is derived from the service's secret, so each replica can open a token that another replica sealed. */
export class TokenSeal {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', INFO, KEY_BYTES));
  }

  seal(text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}
