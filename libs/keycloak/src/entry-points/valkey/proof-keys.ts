import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { checkCredentialFile, credentialReader, FILE_REFRESH_MS } from '../ports/credential-files.js';
import { ConfigurationError } from '../../index.js';
import type { ProofKeysStatus } from '../extension/index.js';
import { keyIdOf, privateKeyIn, publicKeysIn } from './ed25519-keys.js';

/**
 * Ed25519 keys, each in PEM or in base64 without header and footer. A file is read every five seconds, so keys can
 * change at run time. If the file becomes unreadable or invalid, the last keys stay in use.
 */
export interface ProofKeyOptions {
  /** Signs a poller's proofs; only services with `RevocationEventsModule` have this key. */
  readonly privateKey?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  /** All pollers' public keys in one text; a poller also trusts its own key. */
  readonly publicKeys?: string | undefined;
  readonly publicKeysFile?: string | undefined;
}

export interface ProofSignature {
  readonly keyId: string;
  /** The signature in base64url. */
  readonly signature: string;
}

const PRIVATE_KEY_FAULT =
  'must contain one Ed25519 private key, PKCS #8 in PEM or base64 (openssl genpkey -algorithm ed25519)';
const PUBLIC_KEYS_FAULT = 'must contain Ed25519 public keys, each in PEM or base64 (openssl pkey -pubout)';
const NAMES = ['privateKey', 'privateKeyFile', 'publicKeys', 'publicKeysFile'];

interface Source<T> {
  readonly parse: (text: string) => T | undefined;
  readonly read: (() => Promise<string>) | undefined;
  current: T;
}

export class ProofKeys {
  readonly #private: Source<KeyObject> | undefined;
  readonly #public: Source<readonly KeyObject[]> | undefined;
  #trusted: ReadonlyMap<string, KeyObject> = new Map();
  #readAtMs = performance.now();

  /** Throws `ConfigurationError` with a message that contains no key and no path. */
  constructor(maker: string, options: ProofKeyOptions = {}) {
    const { privateKey, privateKeyFile, publicKeys, publicKeysFile, ...others } = Object(options) as ProofKeyOptions;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) {
      throw unusable(maker, `unknown option "proofs.${unknown}": proofs may have ${NAMES.join(', ')}`);
    }
    this.#private = sourceOf(maker, 'privateKey', [privateKey, privateKeyFile], privateKeyIn, PRIVATE_KEY_FAULT);
    this.#public = sourceOf(maker, 'publicKeys', [publicKeys, publicKeysFile], publicKeysIn, PUBLIC_KEYS_FAULT);
    this.#trustAgain();
  }

  get status(): ProofKeysStatus {
    return { canSign: this.#private !== undefined, publicKeys: this.#trusted.size };
  }

  refresh(onFault: () => void): void {
    if (performance.now() - this.#readAtMs < FILE_REFRESH_MS) return;
    this.#readAtMs = performance.now();
    void this.#readAgain().catch(onFault);
  }

  sign(text: string): ProofSignature {
    const key = this.#private?.current;
    if (key === undefined) throw new TypeError('The private key for signing is missing');
    return {
      keyId: keyIdOf(createPublicKey(key as never)),
      signature: sign(null, Buffer.from(text), key).toString('base64url'),
    };
  }

  verify(text: string, { keyId, signature }: ProofSignature): boolean {
    const key = this.#trusted.get(keyId);
    return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  }

  async #readAgain(): Promise<void> {
    const all = await Promise.allSettled([replace(this.#private), replace(this.#public)]);
    this.#trustAgain();
    for (const { status } of all) if (status === 'rejected') throw new TypeError("A file of keys can't be used");
  }

  #trustAgain(): void {
    const own = this.#private?.current;
    const all = [...(own === undefined ? [] : [createPublicKey(own as never)]), ...(this.#public?.current ?? [])];
    this.#trusted = new Map(all.map((key) => [keyIdOf(key), key]));
  }
}

async function replace<T>(source: Source<T> | undefined): Promise<void> {
  if (source?.read === undefined) return;
  const parsed = source.parse(await source.read());
  if (parsed === undefined) throw new TypeError('The file contains no such key');
  source.current = parsed;
}

function sourceOf<T>(
  maker: string,
  name: string,
  [text, file]: readonly [text: unknown, file: unknown],
  parse: (text: string) => T | undefined,
  fault: string,
): Source<T> | undefined {
  if (text === undefined && file === undefined) return undefined;
  if (text !== undefined && file !== undefined) {
    throw unusable(maker, `proofs.${name} and proofs.${name}File exclude each other`);
  }
  let current: T | undefined;
  const read = (found: string): string | undefined => ((current = parse(found)) === undefined ? fault : undefined);
  if (file !== undefined) {
    const path = checkCredentialFile(`${maker}() with proofs.${name}File`, file, (found) => {
      const wrong = read(found);
      return wrong === undefined ? undefined : `the file ${wrong}`;
    });
    return { parse, read: credentialReader(path), current: current as T };
  }
  const wrong = typeof text === 'string' ? read(text) : fault;
  if (wrong !== undefined) throw unusable(maker, `proofs.${name} ${wrong}`);
  return { parse, read: undefined, current: current as T };
}

const unusable = (maker: string, fault: string): ConfigurationError =>
  new ConfigurationError(`${maker}() can't be used`, [fault]);
