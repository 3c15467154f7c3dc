import { CLIENT_ID } from './fleet.mjs';
import { allAnswered, atRate } from './load.mjs';
import { percentile } from './statistics.mjs';

const RATE = 400;
const SECONDS = 3;
/** A cached request repeats the token of an earlier request. */
const REPEATED_AFTER = 41;

/** Starts a replica whose caches contain `tokens` tokens, and adds its `memory`. */
export async function hotProcess({ start, issuer, tokensFile }, kind, tokens) {
  const env = {
    KEYCLOAK_ISSUER: issuer.url,
    KEYCLOAK_BASE_URL: new URL(issuer.url).origin,
    CLIENT_ID,
    CLIENT_SECRET: 's',
    TOKENS_FILE: tokensFile,
    MAX_ENTRIES: String(Math.max(10_000, tokens)),
  };
  const args = ['--expose-gc', 'bench/servers/hot-tokens.mjs', kind, String(tokens)];
  const server = await start(`${kind}, ${tokens} tokens`, args, { env });
  const { rss, heapUsed } = await server.ask('fill');
  return { server, rss, heapUsed };
}

/** Returns the p99 in milliseconds of requests whose token was verified a moment before. */
export async function cachedP99({ server, file, tokens, round, signal }) {
  const first = round * RATE * SECONDS;
  const request = (n) => {
    const isRepeated = n % 2 === 1 && n >= REPEATED_AFTER;
    const at = (first + (isRepeated ? n - REPEATED_AFTER : n)) % tokens;
    return { path: '/route', headers: { authorization: `Bearer ${file.at(at)}` } };
  };
  const result = await atRate({ url: server.url, request, rate: RATE, seconds: SECONDS, signal });
  allAnswered(result);
  const sent = result.answers.toSorted((a, b) => a.sentMs - b.sentMs);
  const repeated = sent.filter((_, n) => n % 2 === 1 && n >= REPEATED_AFTER);
  return percentile(
    repeated.map(({ latencyMs }) => latencyMs),
    0.99,
  );
}
