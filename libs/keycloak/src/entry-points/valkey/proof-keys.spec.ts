import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { proofKeyPair } from '../../../spec-support/proof-keys.js';
import { ConfigurationError } from '../../index.js';
import { ProofKeys, type ProofKeyOptions } from './proof-keys.js';

const folder = mkdtempSync(join(tmpdir(), 'proof-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  jest.restoreAllMocks();
});
const fileWith = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const bare = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
const rsa = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

describe('ProofKeys', () => {
  it.each([
    ['PEM', (text: string) => text],
    ['base64 without the header and footer of PEM', bare],
  ])('signs and verifies with keys in %s', (_, form) => {
    const [one, other] = [proofKeyPair(), proofKeyPair()];
    const signer = new ProofKeys('spec', { privateKey: form(one.privateKey) });
    const reader = new ProofKeys('spec', { publicKeys: `${form(other.publicKeys)}\n${form(one.publicKeys)}` });
    expect([signer.status, reader.status]).toEqual([
      { canSign: true, publicKeys: 1 },
      { canSign: false, publicKeys: 2 },
    ]);
    const signature = signer.sign('text');
    expect([reader.verify('text', signature), signer.verify('text', signature)]).toEqual([true, true]);
    expect(reader.verify('another text', signature)).toBe(false);
    expect(new ProofKeys('spec', { publicKeys: other.publicKeys }).verify('text', signature)).toBe(false);
    expect(() => reader.sign('text')).toThrow('The private key for signing is missing');
  });

  it('has no keys if no options are given', () => {
    expect(new ProofKeys('spec').status).toEqual({ canSign: false, publicKeys: 0 });
  });

  it.each<[string, () => ProofKeyOptions, RegExp]>([
    [
      'a public key in place of the private key',
      () => ({ privateKey: proofKeyPair().publicKeys }),
      /one Ed25519 private key/,
    ],
    ['an RSA key in place of the private key', () => ({ privateKey: rsa() }), /one Ed25519 private key/],
    ['two private keys', () => ({ privateKey: proofKeyPair().privateKey.repeat(2) }), /one Ed25519 private key/],
    [
      'a public key with garbage after the key',
      () => ({ publicKeys: `${proofKeyPair().publicKeys} 4711` }),
      /must contain Ed25519 public/,
    ],
    ['no key', () => ({ publicKeys: '' }), /must contain Ed25519 public/],
    ['a key together with a key file', () => ({ privateKey: 'x', privateKeyFile: 'y' }), /exclude each other/],
    ['a missing key file', () => ({ publicKeysFile: join(folder, '4711') }), /the file can't be read/],
    [
      'a file that contains no key',
      () => ({ privateKeyFile: fileWith('else', '4711') }),
      /the file must contain one Ed25519/,
    ],
    ['a misspelt option', () => ({ publicKey: 'x' }) as ProofKeyOptions, /unknown option "proofs.publicKey"/],
  ])('refuses %s with an error that contains no key', (_, options, message) => {
    const make = (): ProofKeys => new ProofKeys('spec', options());
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/4711/);
  });

  it('reads changed key files, and keeps the last keys if a file contains no keys', async () => {
    const [one, other] = [proofKeyPair(), proofKeyPair()];
    const [privateKeyFile, publicKeysFile] = [fileWith('private', one.privateKey), fileWith('public', one.publicKeys)];
    const [signer, reader] = [new ProofKeys('spec', { privateKeyFile }), new ProofKeys('spec', { publicKeysFile })];
    let nowMs = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const faults: true[] = [];
    const trusted = (): number => reader.status.publicKeys;
    const refresh = (): void => [signer, reader].forEach((keys) => keys.refresh(() => void faults.push(true)));
    writeFileSync(privateKeyFile, other.privateKey);
    writeFileSync(publicKeysFile, `${one.publicKeys}${other.publicKeys}`);
    refresh();
    expect(reader.status.publicKeys).toBe(1);
    nowMs += 5001;
    const before = signer.sign('text');
    refresh();
    while (signer.sign('text').keyId === before.keyId || trusted() !== 2) await sleep(1);
    expect([reader.verify('text', before), reader.verify('text', signer.sign('text'))]).toEqual([true, true]);
    writeFileSync(publicKeysFile, other.publicKeys);
    nowMs += 5001;
    refresh();
    while (trusted() !== 1) await sleep(1);
    expect(reader.verify('text', before)).toBe(false);
    writeFileSync(publicKeysFile, 'garbage');
    nowMs += 5001;
    refresh();
    while (faults.length === 0) await sleep(1);
    expect(reader.verify('text', signer.sign('text'))).toBe(true);
  });
});
