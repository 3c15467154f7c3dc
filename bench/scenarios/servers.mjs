import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { RUN_CHAIN, startChain } from '../measure/chain.mjs';
import { keycloakEnvironment } from '../measure/environment.mjs';
import { clientToken, loginTokens, passwordToken } from '../measure/keycloak.mjs';
import { sharing } from '../measure/replicas.mjs';
import { REALM } from '../../scripts/start/services.mjs';
import { proveFleet, proveHotTokens } from '../measure/hot-trials.mjs';
import { proveSteps } from '../measure/staircase.mjs';
import { verdict } from '../report.mjs';
import { proveLimit } from './limit.mjs';
import { callWith, checkAnswer, startTools } from './mcp.mjs';

export const name = 'servers';
export const title = 'every server of the bench starts, and answers one request';
export const counts = true;

const NO_SERVERS = ['servers/nest.mjs', 'servers/usual-packages.mjs', 'peers/nest.mjs'];

const TRIALS = {
  'servers/bare-handler.mjs': async ({ start }) => expectOk(await start('bare handler', program('bare-handler'))),
  'servers/upstream.mjs': async ({ start }) => expectOk(await start('upstream', program('upstream'))),
  'servers/counting-proxy.mjs': async ({ keycloak, start }) => {
    const proxy = await start('counting proxy', program('counting-proxy', keycloak.baseUrl));
    await clientToken({ ...keycloak, baseUrl: proxy.url }, 'service-a', 'orders.approve');
    const { counts: counted } = await proxy.ask('counts');
    expect('calls counted', counted['service-a client_credentials'], 1);
    await expectOk(proxy, `/realms/${REALM}`);
    await proxy.ask('refuse');
    const isAway = await fetch(proxy.url).then(
      () => false,
      () => true,
    );
    expect('Keycloak is away', isAway, true);
    await proxy.ask('answerAgain');
    await expectOk(proxy, `/realms/${REALM}`);
  },
  'servers/issuer.mjs': async ({ start }) => {
    const issuer = await start('issuer', program('issuer', 'service-a'));
    const [token] = await issuer.ask('tokens');
    const answer = await fetch(`${issuer.url}/introspect`, { method: 'POST', body: new URLSearchParams({ token }) });
    expect('what it says of its token', (await answer.json()).aud, 'service-a');
    expect('keys', (await (await fetch(`${issuer.url}/keys`)).json()).keys.length, 1);
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.read' });
    const issued = await (await fetch(`${issuer.url}/token`, { method: 'POST', body: form })).json();
    expect('scope of the issued token', issued.scope, 'orders.read');
    expect('calls counted', (await issuer.ask('calls')).client_credentials, 1);
  },
  'servers/fleet.mjs': proveFleet,
  'servers/hot-tokens.mjs': proveHotTokens,
  'servers/junk-load.mjs': async ({ start }) => {
    const upstream = await start('upstream', program('upstream'));
    const junk = await start('junk', program('junk-load', upstream.url, '/', '3', '1', '100'));
    expect('junk as fast as answered', JSON.stringify(await junk.ask('asFastAsAnswered')), '{"200":3}');
    expect('junk paced', JSON.stringify(await junk.ask('paced')), '{"200":3}');
  },
  'servers/million-tokens.mjs': async ({ start }) => {
    for (const kind of ['active', 'inactive', 'signed']) {
      const guard = await start(`guard, ${kind} tokens`, ['--expose-gc', ...program('million-tokens', kind)]);
      expect(`${kind} token admitted`, await guard.ask('verify'), kind !== 'inactive');
    }
  },
  'servers/one-route.mjs': async (bench) => {
    for (const kind of ['bare', 'guarded', 'long-lived', 'jwt'])
      await guardedRoute(bench, program('one-route', kind), kind !== 'bare');
  },
  'servers/one-call.mjs': async ({ keycloak, start }) => {
    const upstream = await start('upstream', program('upstream'));
    const TOKEN = await clientToken(keycloak, 'service-a', 'orders.approve');
    const env = { ...keycloakEnvironment(keycloak, 'service-a'), UPSTREAM_URL: upstream.url, TOKEN };
    for (const way of ['none', 'http-service', 'ours']) {
      const server = await start(`call by ${way}`, program('one-call', way), { env });
      expect(`result by ${way}`, (await expectOk(server, '/call')).result, 20);
    }
  },
  'servers/mcp-tools.mjs': async (bench) => {
    const upstream = await bench.start('upstream', program('upstream'));
    const server = await startTools(bench, { keycloak: bench.keycloak, upstream });
    const request = callWith(await passwordToken(bench.keycloak));
    for (const url of Object.values(server.urls)) await checkAnswer(url, request);
  },
  'servers/request-path.mjs': async ({ keycloak, start }) => {
    const upstream = await start('upstream', program('upstream'));
    const TOKEN = await passwordToken(keycloak);
    const env = { ...keycloakEnvironment(keycloak, 'service-a'), UPSTREAM_URL: upstream.url, TOKEN };
    const server = await start('request path', program('request-path'), { env });
    for (const [route, file] of [
      ['guarded', 'resource-server/bearer-token.js'],
      ['onBehalfOf', 'client/send-with-token.js'],
    ]) {
      expect(`${route} runs through ${file}`, Object.hasOwn(await server.ask(route), file), true);
    }
  },
  'servers/revocation-replica.mjs': async ({ start }) => {
    const env = { VALKEY_URL: 'valkey://127.0.0.1:9', DENIAL_KEY: randomBytes(32).toString('base64') };
    const replica = await start('replica', program('revocation-replica'), { env });
    await replica.ask('deny');
    expect('denials that hold', (await replica.ask('refused')).size, 1);
  },
  'servers/shared-entries.mjs': async ({ keycloak, start }) => {
    const env = {
      ...sharing('valkey://127.0.0.1:9', { level2: true }),
      VALKEY_URL: 'valkey://127.0.0.1:9',
      TOKENS: JSON.stringify(await loginTokens(keycloak)),
      SESSIONS: '1',
      ANSWERS: '1',
    };
    const filler = await start('filler', program('shared-entries'), { env });
    expect('a session has some kilobytes', (await filler.ask('sealedBytes')) > 2000, true);
  },
  'servers/open-twin.mjs': async ({ keycloak, signal }) => {
    const { a } = await startChain(keycloak, { program: 'open', signal });
    expect('result of the chain', (await expectOk(a, RUN_CHAIN.path, RUN_CHAIN.headers)).service_c.result, 20);
  },
  'servers/limit.mjs': async (bench) => {
    await proveLimit(bench, ['limit']);
    const { a, b } = await startChain(bench.keycloak, { program: 'bearer', signal: bench.signal });
    expect('result with tokens', (await expectOk(a, RUN_CHAIN.path, RUN_CHAIN.headers)).service_c.result, 20);
    expect('status without a token', (await fetch(`${b.url}/api/process`, { method: 'POST' })).status, 401);
  },
  'servers/bare-nest.mjs': (bench) => proveLimit(bench, ['nest', 'usual nest']),
  'servers/one-step.mjs': proveSteps,
  'peers/nest-keycloak-connect.mjs': (bench) => guardedRoute(bench, ['bench/peers/nest-keycloak-connect.mjs'], true),
  'peers/axios-guard.mjs': (bench) => guardedRoute(bench, ['bench/peers/axios-guard.mjs'], true),
};

export async function run(bench) {
  const broken = [];
  for (const file of serverFiles()) {
    try {
      if (TRIALS[file] === undefined) throw new Error('bench/scenarios/servers.mjs has no trial of this file');
      await TRIALS[file](bench);
      bench.say(`${file} answers`);
    } catch (error) {
      bench.signal.throwIfAborted();
      bench.say(`${file}: ${error.stack}`);
      broken.push(basename(file));
    }
    await bench.stopAll();
  }
  const seen = broken.length === 0 ? `${serverFiles().length} of ${serverFiles().length}` : `not ${broken.join(', ')}`;
  return [verdict('servers of the bench that start and answer', broken.length === 0, seen, 'all')];
}

function serverFiles() {
  const files = ['servers', 'peers'].flatMap((folder) =>
    readdirSync(`bench/${folder}`).map((file) => `${folder}/${file}`),
  );
  return files.filter((file) => file.endsWith('.mjs') && !NO_SERVERS.includes(file));
}

const program = (file, ...args) => [`bench/servers/${file}.mjs`, ...args];

async function guardedRoute({ keycloak, start }, args, isGuarded) {
  const server = await start(args.join(' '), args, { env: keycloakEnvironment(keycloak, 'service-a') });
  const authorization = `Bearer ${await passwordToken(keycloak)}`;
  expect('answer', (await expectOk(server, '/route', { authorization })).answer, 42);
  expect('status without a token', (await fetch(`${server.url}/route`)).status, isGuarded ? 401 : 200);
}

async function expectOk({ name: server, url }, path = '/', headers = {}) {
  const response = await fetch(`${url}${path}`, { headers });
  expect(`status of ${server}`, response.status, 200);
  return response.json();
}

function expect(what, seen, expected) {
  if (seen !== expected) throw new Error(`${what}: ${seen}, not ${expected}`);
}
