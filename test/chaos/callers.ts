/** Callers without a browser: users with a token, the service itself, and those with what is no credential. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchangeForB, login, logout, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { Random } from './random.js';
import type { Sent } from './requests.js';
import type { Run } from './run.js';
import { endAtKeycloak } from './users.js';
import type { Credential } from './verdicts.js';

const TOKEN_MS = [3000, 20_000] as const;
const PAUSE_MS = [50, 250] as const;
const AFTERWARDS_MS = 4000;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** At Service A with her token, and at Service B with one that it was exchanged for. */
export async function tokenUser(run: Run, username: string, subject: string, random: Random): Promise<void> {
  const { services, keycloak } = run;
  while (!run.isOver) {
    const first = await login(keycloak, username);
    const [atA, refreshToken] = [textOf(first), textOf(first, 'refresh_token')];
    const atB = await exchangeForB(keycloak, atA);
    for (const token of [atA, atB, refreshToken]) services.scanner.addToken(token);
    const requests: readonly Sent[] = [
      { url: `${services.urlOf('service-a')}/api/whoami`, headers: bearer(atA) },
      { url: `${services.urlOf('service-a')}/run-service-b`, headers: bearer(atA), page: random.chance(0.5) },
      { url: `${services.urlOf('service-b')}/api/whoami`, headers: bearer(atB) },
    ];
    const credential: Credential = { kind: 'token', username, sinceMs: performance.now() };
    const useFor = async (ms: number): Promise<void> => {
      for (const endMs = performance.now() + ms; performance.now() < endMs && !run.isOver;) {
        await run.send(username, random.of(requests), credential);
        await sleep(random.between(...PAUSE_MS));
      }
    };
    await useFor(random.between(...TOKEN_MS));
    if (run.isOver) return;
    if (random.chance(0.5)) await endAtKeycloak(run, username, subject, credential);
    else {
      credential.endingMs = performance.now();
      await logout(keycloak, refreshToken);
      credential.endedAtKeycloakMs = performance.now();
    }
    await useFor(AFTERWARDS_MS);
    for (const sent of requests) run.ended.push({ credential, sent });
  }
}

/** In demo mode Service A acts as itself for who sends nothing. */
export async function serviceItself(run: Run, random: Random): Promise<void> {
  const credential: Credential = { kind: 'none', username: 'service-a', sinceMs: performance.now() };
  while (!run.isOver) {
    const url = `${run.services.urlOf('service-a')}/run-service-b`;
    await run.send('service-a', { url, page: random.chance(0.5) }, credential);
    await sleep(random.between(...PAUSE_MS));
  }
}

/** Tokens and cookies that nobody was given. */
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

/** Whoever has kept a cookie or a token that has ended. */
export async function replayer(run: Run, random: Random): Promise<void> {
  while (!run.isOver) {
    if (run.ended.length > 0) {
      const { sent, credential } = random.of(run.ended);
      await run.send('who kept what has ended', sent, credential);
    }
    await sleep(random.between(...PAUSE_MS));
  }
}
