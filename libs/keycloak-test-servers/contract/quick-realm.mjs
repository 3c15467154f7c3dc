// Settings for a test realm, so that Keycloak needs less CPU time.
import { generateKeyPair } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const KEY_PROVIDER = 'org.keycloak.keys.KeyProvider';

/** With the default hash, Keycloak needs 60 ms at each login. */
export const QUICK_HASH = { passwordPolicy: 'hashAlgorithm(pbkdf2-sha512) and hashIterations(1)' };

/**
 * Without keys in the realm, Keycloak takes two seconds to generate two RSA keys.
 *
 * @template {object} T
 * @param {T & { readonly components?: object }} realm
 */
export async function quickRealm(realm) {
  const [signing, encryption] = await Promise.all([rsaKey(), rsaKey()]);
  const keys = [
    { name: 'rsa', providerId: 'rsa', config: keyConfig('RS256', signing) },
    { name: 'rsa-enc', providerId: 'rsa-enc', config: keyConfig('RSA-OAEP', encryption) },
    { name: 'hmac', providerId: 'hmac-generated', config: keyConfig('HS512') },
    { name: 'aes', providerId: 'aes-generated', config: keyConfig('AES') },
  ];
  return { ...realm, ...QUICK_HASH, components: { ...realm.components, [KEY_PROVIDER]: keys } };
}

/**
 * @template T
 * @param {string} path
 * @param {(realm: string) => Promise<T>} start
 */
export async function withQuickRealm(path, start) {
  const folder = await mkdtemp(join(tmpdir(), 'quick-realm-'));
  try {
    const file = join(folder, 'realm.json');
    await writeFile(file, JSON.stringify(await quickRealm(JSON.parse(await readFile(path, 'utf8')))));
    return await start(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {string} algorithm @param {string} [privateKey] */
function keyConfig(algorithm, privateKey) {
  return { priority: ['100'], algorithm: [algorithm], ...(privateKey && { privateKey: [privateKey] }) };
}

async function rsaKey() {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}
