import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

const PEM_BLOCK = /-----BEGIN [A-Z ]+-----([\s\S]*?)-----END [A-Z ]+-----/g;

export function keyIdOf(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url').slice(0, 16);
}

/** The text must contain one key: PEM (PKCS #8, RFC 8410), or base64 without header and footer. */
export function privateKeyIn(text: string): KeyObject | undefined {
  const [der, ...others] = dersIn(text);
  if (der === undefined || others.length > 0) return undefined;
  return ed25519(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

export function publicKeysIn(text: string): readonly KeyObject[] | undefined {
  const keys = dersIn(text).map((der) => ed25519(() => createPublicKey({ key: der, format: 'der', type: 'spki' })));
  const read = keys.flatMap((key) => key ?? []);
  return read.length === keys.length && read.length > 0 ? read : undefined;
}

function dersIn(text: string): Buffer[] {
  const blocks = [...text.matchAll(PEM_BLOCK)].map(([, body = '']) => body.replaceAll(/\s/g, ''));
  const rest = text.replaceAll(PEM_BLOCK, ' ').split(/[\s,]+/);
  return [...blocks, ...rest.filter((one) => one !== '')].map((base64) => Buffer.from(base64, 'base64'));
}

function ed25519(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}
