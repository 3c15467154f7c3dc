// Tokens that several processes of the bench use: the scenario writes a file, and the servers read it.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Introspection } from '../../libs/keycloak/dist/authorization-server/introspection.js';
import { TokenEndpoint } from '../../libs/keycloak/dist/authorization-server/token-endpoint.js';
import { IssuedToken } from '../../libs/keycloak/dist/protocol/issued-token.js';

const EXCHANGED_SECONDS = 60;

export async function writeTokens(issuer, count) {
  const folder = mkdtempSync(join(tmpdir(), 'hot-tokens-'));
  const path = join(folder, 'tokens');
  const file = openSync(path, 'w', 0o600);
  for (let written = 0; written < count; written += 1000)
    writeSync(file, `${(await issuer.ask('tokens')).join('\n')}\n`);
  closeSync(file);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** All tokens have the same length. A buffer is outside of the heap, so the tokens do not count as heap. */
export function readTokens(path) {
  const bytes = readFileSync(path);
  const length = bytes.indexOf('\n');
  return {
    count: bytes.length / (length + 1),
    at: (n) => bytes.latin1Slice(n * (length + 1), n * (length + 1) + length),
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
