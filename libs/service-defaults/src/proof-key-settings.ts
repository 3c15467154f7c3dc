import type { ProofKeyOptions } from 'nestjs-keycloak-s2s/valkey';
import type { Variables } from './variables.js';

/** DEMO: the form of the published private key in compose.replicas.yml. */
const PUBLISHED_PRIVATE_KEY = /DEMO\/published/;
const PUBLISHED_PUBLIC_KEY = 'MCowBQYDK2VwAyEANBG4wSax3AsUlyxzxsP6Y7PtjihHBgEIhL4TibmViNQ=';

const PRIVATE = 'SIGNAL_PROOF_PRIVATE_KEY';
const PUBLIC = 'SIGNAL_PROOF_PUBLIC_KEYS';

/** By default, the service refuses the proofs of all pollers. Keys in files are read again while the service runs. */
export function readProofKeySettings(variables: Variables, polls: boolean, demoMode: boolean): ProofKeyOptions {
  const publicKeys = keyOf(variables.secret('SIGNAL_PROOF_PUBLIC_KEYS', ''), variables.text(`${PUBLIC}_FILE`, ''));
  const privateKey = polls
    ? keyOf(variables.secret('SIGNAL_PROOF_PRIVATE_KEY', ''), variables.text(`${PRIVATE}_FILE`, ''))
    : {};
  if (polls && privateKey.text === undefined) {
    variables.fault(
      `${PRIVATE} or ${PRIVATE}_FILE must be set: this process polls revocations for other services, which accept signed proofs only (openssl genpkey -algorithm ed25519)`,
    );
  }
  if (!demoMode) {
    if (PUBLISHED_PRIVATE_KEY.test(privateKey.text ?? '')) refuse(variables, PRIVATE);
    if (publicKeys.text?.replaceAll(/\s/g, '').includes(PUBLISHED_PUBLIC_KEY) === true) refuse(variables, PUBLIC);
  }
  return {
    ...(publicKeys.file === undefined ? { publicKeys: publicKeys.text } : { publicKeysFile: publicKeys.file }),
    ...(privateKey.file === undefined ? { privateKey: privateKey.text } : { privateKeyFile: privateKey.file }),
  };
}

interface Key {
  readonly text?: string;
  readonly file?: string;
}

function keyOf(text: string, file: string): Key {
  if (text === '') return {};
  return file === '' ? { text } : { text, file };
}

function refuse(variables: Variables, name: string): void {
  variables.fault(`${name} contains a published demo value: use one of your own, or set DEMO_MODE=true`);
}
