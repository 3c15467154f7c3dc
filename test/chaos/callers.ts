import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  exchangeForB,
  login,
  logout,
  textOf,
  token as tokenRequest,
  type Reply,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { codeOf, LoginBrowser, VERIFIER } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import type { Random } from './random.js';
import type { Sent } from './requests.js';
import type { Run } from './run.js';
import { endAtKeycloak } from './users.js';
import type { Credential } from './verdicts.js';

const TOKEN_MS = [2000, 10_000] as const;
const PAUSE_MS = [50, 250] as const;
const AFTERWARDS_MS = 4000;
/** With short pauses, the user's requests reach every replica within one second. */
const PAUSE_AFTERWARDS_MS = [20, 60] as const;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export async function tokenUser(run: Run, username: string, subject: string, random: Random): Promise<void> {
  const { services, keycloak } = run;
  while (!run.isOver) {
    const isOfServiceA = random.chance(0.5);
    const first = isOfServiceA ? await loginOfServiceA(run, username) : await login(keycloak, username);
    const [atA, refreshToken] = [textOf(first), textOf(first, 'refresh_token')];
    const atB = await exchangeForB(keycloak, atA);
    for (const token of [atA, atB, refreshToken]) services.scanner.addToken(token);
    const requests: readonly Sent[] = [
      { url: `${services.urlOf('service-a')}/api/whoami`, headers: bearer(atA) },
      { url: `${services.urlOf('service-a')}/run-service-b`, headers: bearer(atA), page: random.chance(0.5) },
      { url: `${services.urlOf('service-b')}/api/whoami`, headers: bearer(atB) },
    ];
    const credential: Credential = { kind: 'token', username, sinceMs: performance.now() };
    const useFor = async (ms: number, pauseMs: readonly [number, number]): Promise<void> => {
      for (const endMs = performance.now() + ms; performance.now() < endMs && !run.isOver;) {
        await run.send(username, random.of(requests), credential);
        await sleep(random.between(...pauseMs));
      }
    };
    await useFor(random.between(...TOKEN_MS), PAUSE_MS);
    if (run.isOver) return;
    if (isOfServiceA || random.chance(0.5)) await endAtKeycloak(run, username, subject, credential);
    else {
      credential.endingMs = performance.now();
      await logout(keycloak, refreshToken);
      credential.endedAtKeycloakMs = performance.now();
    }
    await useFor(AFTERWARDS_MS, PAUSE_AFTERWARDS_MS);
    for (const sent of requests) run.ended.push({ credential, sent });
  }
}

async function loginOfServiceA({ keycloak, publicUrl }: Run, username: string): Promise<Reply> {
  const redirect_uri = `${publicUrl}/auth/callback`;
  const code = codeOf(await new LoginBrowser(keycloak).login('service-a', username, { redirect_uri }));
  const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER };
  return tokenRequest(keycloak, form, 'service-a');
}

export async function serviceItself(run: Run, random: Random): Promise<void> {
  const credential: Credential = { kind: 'none', username: 'service-a', sinceMs: performance.now() };
  while (!run.isOver) {
    const url = `${run.services.urlOf('service-a')}/run-service-b`;
    await run.send('service-a', { url, page: random.chance(0.5) }, credential);
    await sleep(random.between(...PAUSE_MS));
  }
}

export async function stranger(run: Run, random: Random): Promise<void> {
  const { services, keycloak } = run;
  const real = textOf(await login(keycloak, 'alice'));
  services.scanner.addToken(real);
  const [head = '', claims = '', signature = ''] = real.split('.');
  const credential: Credential = { kind: 'wrong', username: '', sinceMs: performance.now() };
  const tokens = [
    'no-token',
    `${head}.${claims}.${signature.slice(0, -8)}AAAAAAAA`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`,
    textOf(await login(keycloak, 'alice'), 'refresh_token'),
  ];
  while (!run.isOver) {
    const url = `${services.urlOf(random.of(['service-a', 'service-b', 'service-c']))}/api/whoami`;
    const sent: Sent = random.chance(0.7)
      ? { url, headers: bearer(random.of(tokens)) }
      : {
          url: `${run.publicUrl}/run-service-b`,
          headers: { cookie: `session=${randomBytes(32).toString('base64url')}` },
        };
    await run.send('a stranger', sent, credential);
    await sleep(random.between(...PAUSE_MS));
  }
}

export async function replayer(run: Run, random: Random): Promise<void> {
  while (!run.isOver) {
    if (run.ended.length > 0) {
      const { sent, credential } = random.of(run.ended);
      await run.send('who kept what has ended', sent, credential);
    }
    await sleep(random.between(...PAUSE_MS));
  }
}
