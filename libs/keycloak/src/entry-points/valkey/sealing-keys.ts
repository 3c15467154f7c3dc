import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const TAG_BYTES = 16;
/** The bytes of an encrypted empty text: version, salt and tag. */
const MIN_BYTES = 1 + SALT_BYTES + TAG_BYTES;
const VERSION = 1;
/** The nonce is constant, because each entry has its own key. */
const NONCE = Buffer.alloc(12);
const CIPHER = 'aes-256-gcm';
/** The purposes of the subkeys (`info` of HKDF, RFC 5869). */
const INFO = 'nestjs-keycloak-s2s sealed entry, version 1';
const NAME_INFO = 'nestjs-keycloak-s2s name, version 1';
const FINGERPRINT_INFO = 'nestjs-keycloak-s2s fingerprint, version 1';
/** Enough bytes to distinguish keys, but too few to reconstruct a key. */
const FINGERPRINT_BYTES = 4;

/**
 * Encrypts entries for a shared store with random keys of 256 bits. The first key encrypts and every key decrypts, so
 * keys can change without an outage.
 *
 * Each entry has its own subkey for AES-256-GCM (HKDF-SHA256 with a random salt). The associated data names the
 * purpose, so an entry that was moved to another place can't be decrypted.
 */
export class SealingKeys {
  readonly #keys: readonly Buffer[];
  readonly #nameKeys: readonly Buffer[];

  /** `keys` are in base64 or base64url, and an invalid key throws `TypeError`. */
  constructor(keys: readonly string[]) {
    const fault = SealingKeys.faultOf(keys);
    if (fault !== undefined) throw new TypeError(fault);
    this.#keys = keys.flatMap((key) => readKey(key) ?? []);
    this.#nameKeys = this.#keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', NAME_INFO, KEY_BYTES)));
  }

  /** Returns the fault of invalid keys; the text contains no key. */
  static faultOf(keys: unknown): string | undefined {
    const given: readonly unknown[] = Array.isArray(keys) ? keys : [];
    const faulty = given.filter((key) => readKey(key) === undefined).length;
    if (given.length > 0 && faulty === 0) return undefined;
    const which = given.length === 0 ? 'no key is given' : `${faulty} of ${given.length} are not`;
    return `keys must be random keys of 32 bytes each, in base64 (openssl rand -base64 32): ${which}`;
  }

  /** Eight hex digits for each key (RFC 5869), to compare keys of two services. */
  get fingerprints(): readonly string[] {
    return this.#keys.map((key) =>
      Buffer.from(hkdfSync('sha256', key, '', FINGERPRINT_INFO, FINGERPRINT_BYTES)).toString('hex'),
    );
  }

  seal(text: string, associated: readonly string[]): string {
    const [key] = this.#keys;
    if (key === undefined) throw new TypeError('The key is missing');
    const salt = randomBytes(SALT_BYTES);
    const cipher = createCipheriv(CIPHER, subkey(key, salt), NONCE).setAAD(bytesOf(associated));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), salt, sealed, cipher.getAuthTag()]).toString('base64');
  }

  open(sealed: string, associated: readonly string[]): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length < MIN_BYTES || bytes[0] !== VERSION) return undefined;
    const salt = bytes.subarray(1, 1 + SALT_BYTES);
    const text = bytes.subarray(1 + SALT_BYTES, -TAG_BYTES);
    const tag = bytes.subarray(-TAG_BYTES);
    for (const key of this.#keys) {
      try {
        const decipher = createDecipheriv(CIPHER, subkey(key, salt), NONCE).setAAD(bytesOf(associated)).setAuthTag(tag);
        return decipher.update(text, undefined, 'utf8') + decipher.final('utf8');
      } catch {
        // The key did not encrypt this text, so try the next key.
      }
    }
    return undefined;
  }

  /** Returns whether a newer version of this library encrypted the text. */
  isNewer(sealed: string): boolean {
    const bytes = Buffer.from(sealed, 'base64');
    const [version = 0] = bytes;
    return version > VERSION && bytes.length >= MIN_BYTES && bytes.toString('base64') === sealed;
  }

  /**
   * Returns a stable name for each key (HMAC-SHA256 in base64url). A process that has no key can't compute a name from
   * `associated`. Store an entry under the first name, and look under all names.
   */
  names(associated: readonly string[]): readonly [first: string, ...others: string[]] {
    const [first = '', ...others] = this.#nameKeys.map((key) =>
      createHmac('sha256', key).update(bytesOf(associated)).digest('base64url'),
    );
    return [first, ...others];
  }
}

/** Encodes the parts so that different parts never result in the same bytes. */
const bytesOf = (associated: readonly string[]): Buffer => Buffer.from(JSON.stringify([VERSION, ...associated]));

const subkey = (key: Buffer, salt: Buffer): Buffer => Buffer.from(hkdfSync('sha256', key, salt, INFO, KEY_BYTES));

/** Rejects a typed or repetitive key, because random bytes have many different values. */
function readKey(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || !/^[\w+/-]{43}=?$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES && new Set(key).size >= KEY_BYTES / 2 ? key : undefined;
}
