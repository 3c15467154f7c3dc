import type { ChannelFault, ChannelRefusal } from '../extension/index.js';
import type { ValkeyAddress } from './valkey-address.js';

const DEFAULT_PORT = '6379';

export const placeOf = ({ url: { hostname, port, pathname } }: ValkeyAddress): string =>
  `Valkey at ${hostname}:${port || DEFAULT_PORT}, database ${Number(pathname.slice(1))}`;

const userOf = ({ url: { username } }: ValkeyAddress): string => decodeURIComponent(username || 'default');

export function missingRight(address: ValkeyAddress, rights: readonly string[]): ChannelFault {
  const [keys, commands] = [rights.filter(isKeys), rights.filter((right) => !isKeys(right))];
  const parts = [
    ...(commands.length > 0 ? [`the commands ${commands.join(', ')}`] : []),
    ...(keys.length > 0 ? [`the keys ${keys.join(', ')}`] : []),
  ];
  return {
    message: `${placeOf(address)}: the user ${userOf(address)} has no right to ${parts.join(' and ')}.`,
    cure: 'Give the user the rights that docs/valkey.md lists (ACL SETUSER, or the ACL file of the server).',
  };
}

const isKeys = (right: string): boolean => right.includes(':');

export function serverFault(address: ValkeyAddress, reason: string): ChannelFault {
  const place = placeOf(address);
  if (REFUSED.has(reason)) {
    return {
      message: `${place} refuses the user ${userOf(address)} or its password (${reason}).`,
      cure: 'Compare the user and the password in the URL (SHARED_STATE_URL) with the users of the server (ACL LIST).',
    };
  }
  if (reason === 'noperm') {
    return {
      message: `${place}: the user ${userOf(address)} lacks a right that each connection needs (noperm).`,
      cure: 'Give the user the rights that docs/valkey.md lists (ACL SETUSER, or the ACL file of the server).',
    };
  }
  if (reason === 'maxmemory_policy_must_be_noeviction') {
    return {
      message: `${place} evicts entries when its memory is full, so denials can get lost.`,
      cure: 'Set maxmemory-policy to noeviction.',
    };
  }
  if (/cert|self_signed|altname|issuer|err_tls/.test(reason)) {
    return {
      message: `${place}: the certificate of the server is not trusted (${reason}).`,
      cure: 'Give the certificate of its authority in `ca` (SHARED_STATE_CA_FILE), and use the host name that the certificate has.',
    };
  }
  return {
    message: `${place} is unreachable (${reason}).`,
    cure: 'Start the server, or correct the host and the port in the URL (SHARED_STATE_URL). Look for a firewall or a network policy in between.',
  };
}

export const PROOF_FAULTS: Readonly<Partial<Record<ChannelRefusal, ChannelFault>>> = {
  proof_unknown_signer: {
    message: "The poller's proof was signed by a key that this service does not trust.",
    cure: 'Give every service the public key that belongs to the private key of the poller (SIGNAL_PROOF_PUBLIC_KEYS; openssl pkey -pubout). If they belong together, find out which process wrote the proof.',
  },
  proof_newer: {
    message: 'A poller with a newer version wrote the proof in an unknown form.',
    cure: 'Update this service to the version of the pollers.',
  },
  proof_malformed: {
    message: "The key for the poller's proof has another content, which a process with the denial keys wrote.",
    cure: 'Find out which process wrote it. Only the pollers need the right to write that key (docs/valkey.md).',
  },
  proof_of_another_stream: {
    message: 'Somebody replaced our proof with the proof of another stream.',
    cure: 'Find out who writes the keys of the proofs. Only the pollers need that right (docs/valkey.md).',
  },
};

const REFUSED = new Set(['wrongpass', 'noauth']);
