import { figure, verdict } from '../report.mjs';
import { routeContender } from '../measure/contenders.mjs';
import { startCounter } from '../measure/counter.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { allAnswered, closedLoop } from '../measure/load.mjs';
import { interleaved, paired, ROUNDS_MORE } from '../measure/rounds.mjs';
import { AT_REFERENCE, atReference, bareHandler } from '../measure/reference.mjs';

export const name = 'jwt';
export const title = 'a guarded route by signatures, beside introspection';

const WARM_REQUESTS = 30_000;
const NEW_TOKENS = 6_000;
const NEW_WARM_UP = 3_000;

const CLIENT = 'service-a';

export async function run(bench) {
  return [...(await warm(bench)), ...(await neverSeen(bench)), ...(await calls(bench)), ...(await million(bench))];
}

async function warm(bench) {
  const { rounds, scale, say, signal } = bench;
  const contenders = [
    bareHandler(bench),
    routeContender('bare', bench, { kind: 'bare' }),
    routeContender('introspection', bench, { kind: 'guarded' }),
    routeContender('jwt', bench, { kind: 'jwt' }),
  ];
  const results = await interleaved(contenders, {
    rounds: rounds * ROUNDS_MORE,
    requests: WARM_REQUESTS * scale,
    say,
    signal,
  });
  const added = (kind) => paired(results[kind], results.bare, (ours, bare) => ours.cpuMicros - bare.cpuMicros);
  const ratio = paired(results.jwt, results.introspection, (a, b) => (a.cpuMicros / b.cpuMicros) * 100);
  return [
    figure('guard by signature, warm: CPU added to the bare route', atReference(added('jwt'), results), {
      unit: 'µs',
      must: { atMost: 5 },
      aim: { atMost: 3 },
      note: AT_REFERENCE,
    }),
    figure('guard by signature, warm: CPU added, on this machine', added('jwt'), { unit: 'µs' }),
    figure('guard by introspection, warm: CPU added, on this machine', added('introspection'), { unit: 'µs' }),
    figure('route by signature, warm: CPU, of that by introspection', ratio, { unit: '%' }),
  ];
}

/** Uses another issuer than Keycloak, since Keycloak would issue the tokens too slowly. */
async function neverSeen(bench) {
  const { rounds, scale, say, signal, start } = bench;
  const issuer = await start('issuer', ['bench/servers/issuer.mjs', CLIENT], { aside: true });
  const env = {
    KEYCLOAK_ISSUER: issuer.url,
    KEYCLOAK_BASE_URL: new URL(issuer.url).origin,
    CLIENT_ID: CLIENT,
    CLIENT_SECRET: 's',
  };
  const contender = (kind) => ({
    name: kind,
    async start() {
      const server = await start(`${kind} route`, ['bench/servers/one-route.mjs', kind], { env });
      const load = async (requests) => {
        const tokens = await tokensOf(issuer, requests);
        const request = (n) => ({ path: '/route', headers: { authorization: `Bearer ${tokens[n]}` } });
        return closedLoop({ url: server.url, request, requests, signal });
      };
      return { processes: [server], load };
    },
  });
  const results = await interleaved([contender('bare'), contender('guarded'), contender('jwt')], {
    rounds,
    requests: NEW_TOKENS * scale,
    warmUp: NEW_WARM_UP,
    say,
    signal,
  });
  const added = (kind) => paired(results[kind], results.bare, (ours, bare) => ours.cpuMicros - bare.cpuMicros);
  return [
    figure('a token never seen, by signature (RS256): CPU added', added('jwt'), { unit: 'µs' }),
    figure('a token never seen, by introspection: CPU added', added('guarded'), {
      unit: 'µs',
      note: 'in the service alone, and what Keycloak does besides',
    }),
    figure(
      'the same, by signature, of that by introspection',
      paired(added('jwt'), added('guarded'), (a, b) => (a / b) * 100),
      { unit: '%' },
    ),
  ];
}

async function tokensOf(issuer, count) {
  const tokens = [];
  while (tokens.length < count) tokens.push(...(await issuer.ask('tokens')));
  return tokens;
}

async function calls({ keycloak, start, say, signal }) {
  const counter = await startCounter(keycloak, start);
  const env = keycloakEnvironment(counter.keycloak, CLIENT);
  const server = await start('jwt route', ['bench/servers/one-route.mjs', 'jwt'], { env });
  const tokens = [];
  while (tokens.length < 50) tokens.push(await passwordToken(keycloak));
  const request = (n) => ({ path: '/route', headers: { authorization: `Bearer ${tokens[n % tokens.length]}` } });
  allAnswered(await closedLoop({ url: server.url, request, requests: 20_000, signal }));
  const counts = await counter.counts();
  say(`calls for 20,000 requests with 50 tokens: ${JSON.stringify(counts)}`);
  const isOfKeysAlone = Object.keys(counts).every((kind) => kind === 'certs') && counts.certs === 1;
  return [
    verdict(
      '20,000 requests with 50 tokens: calls to Keycloak',
      isOfKeysAlone,
      JSON.stringify(counts),
      'its keys, once',
    ),
  ];
}

async function million({ start, say }) {
  const guard = await start('guard, signed tokens', ['--expose-gc', 'bench/servers/million-tokens.mjs', 'signed']);
  const { tokens, grownBytes, peakBytes, found, refused } = await guard.ask('run');
  say(`${tokens} tokens, ${refused} refused, heap before its last collection ${(peakBytes / 1e6).toFixed(1)} MB`);
  await guard.stop();
  return [
    figure(`${tokens.toLocaleString('en')} signed tokens: heap growth after GC`, [grownBytes / 1e6], {
      unit: 'MB',
      must: { atMost: 50 },
      aim: { atMost: 20 },
      note: 'guard and caches in process, keys over HTTP',
    }),
    verdict('signed tokens: their text in a heap snapshot', found === 0, `${found} times`, 'never'),
  ];
}
