// Tokens that several processes of the bench use: the scenario writes a file, and the servers read it.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Introspection } from '../../libs/keycloak/dist/authorization-server/introspection.js';
import { TokenEndpoint } from '../../libs/keycloak/dist/authorization-server/token-endpoint.js';
import { IssuedToken } from '../../libs/keycloak/dist/protocol/issued-token.js';

const EXCHANGED_SECONDS = 60;
const LONGEST_BYTES = 8192;

export async function writeTokens(issuer, count) {
  const folder = mkdtempSync(join(tmpdir(), 'hot-tokens-'));
  const path = join(folder, 'tokens');
  const file = openSync(path, 'w', 0o600);
  for (let written = 0; written < count; written += 1000)
    writeSync(file, `${(await issuer.ask('tokens')).join('\n')}\n`);
  closeSync(file);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** All tokens have the same length. Reads one token at a time, so that the file does not count as memory of a process. */
export function readTokens(path) {
  const file = openSync(path);
  const start = Buffer.alloc(LONGEST_BYTES);
  const length = start.subarray(0, readSync(file, start, 0, LONGEST_BYTES, 0)).indexOf('\n');
  const token = Buffer.alloc(length);
  return {
    at(n) {
      readSync(file, token, 0, length, n * (length + 1));
      return token.latin1Slice();
    },
  };
}

const original = {
  introspect: Introspection.prototype.introspect,
  renew: Introspection.prototype.renew,
  exchange: TokenEndpoint.prototype.exchange,
};
let running = 0;

/** The number of calls to the authorization server that have no answer yet. */
export const callsInFlight = () => running;

/**
 * Answers without HTTP what the issuer would answer. Filling a cache by HTTP would take minutes, and the cache would
 * contain the same entries.
 */
export function answerInProcess() {
  answerBy({ introspect: introspected, renew: introspected, exchange: exchanged });
}

export function answerOverHttp() {
  answerBy(original);
}

function answerBy({ introspect, renew, exchange }) {
  Introspection.prototype.introspect = counted(introspect);
  Introspection.prototype.renew = counted(renew);
  TokenEndpoint.prototype.exchange = counted(exchange);
}

function counted(call) {
  return async function calls(...given) {
    running += 1;
    try {
      return await call.apply(this, given);
    } finally {
      running -= 1;
    }
  };
}

async function introspected(token) {
  return { ...JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), active: true, client_id: 'demo-cli' };
}

let exchanges = 0;

/** Each exchanged token has its own text, because equal texts would take less memory. */
async function exchanged(subject, _audience, scope) {
  exchanges += 1;
  const { claims } = subject;
  const payload = Buffer.from(JSON.stringify({ ...claims, jti: String(exchanges) })).toString('base64url');
  return new IssuedToken(`e30.${payload}.${'A'.repeat(86)}`, [scope], EXCHANGED_SECONDS);
}
