import { randomBytes } from 'node:crypto';
import { OpenIdTokens } from '../../apps/service-a/dist/login/openid-tokens.js';
import { SealedSessions } from '../../apps/service-a/dist/login/valkey/sealed-sessions.js';
import { ValkeySessionStore } from '../../apps/service-a/dist/login/valkey/valkey-session-store.js';
import { SealingKeys, valkeyCache, ValkeyClient } from '../../libs/keycloak/dist/entry-points/valkey/index.js';

const { VALKEY_URL: url, SHARED_STATE_KEYS: key, TOKENS, SESSIONS, ANSWERS } = process.env;
const OWNER = { issuer: 'https://sso.test/realms/bench', clientId: 'service-a', allowInsecureRequests: true };
const LIMITS = { sessionIdleSeconds: 36_000, sessionMaxSeconds: 36_000, maxSessions: 1e7, maxSessionsPerUser: 20 };
const AT_ONCE = 200;
const HOUR_MS = 3_600_000;

/** Tokens of a real login, for shared entries of a realistic size. */
const tokens = JSON.parse(TOKENS);
const claims = JSON.parse(Buffer.from(tokens.accessToken.split('.')[1], 'base64url'));

const sealed = new SealedSessions(new SealingKeys([key]), OWNER.issuer, OWNER.clientId);
const store = new ValkeySessionStore(new ValkeyClient({ url, deadlineMs: 10_000 }), sealed, LIMITS, OWNER);
const cache = valkeyCache({ url: `${url}/1`, keys: [key] }).connect(OWNER);
await cache.open().catch(() => undefined);

const random = () => randomBytes(32).toString('base64url');
const sessions = Array.from({ length: Number(SESSIONS) }, random);
const answers = Array.from({ length: Number(ANSWERS) }, () => `introspection ${random()}`);

function newSession() {
  const nowMs = store.clock.nowMs();
  return {
    subject: crypto.randomUUID(),
    sessionId: crypto.randomUUID(),
    username: claims.preferred_username,
    csrfToken: random(),
    tokens: new OpenIdTokens({ ...tokens, askedAtMs: nowMs, expiresAtMs: nowMs + 300_000 }),
    startedAtMs: nowMs,
    usedAtMs: nowMs,
    generation: 0,
  };
}

const addSession = (at) => store.add(sessions[at], newSession(), claims.iat);

const findSession = (at) => store.update(sessions[at], (session) => session);

function putAnswer(at) {
  const own = { jti: crypto.randomUUID(), sid: crypto.randomUUID(), active: true, username: claims.preferred_username };
  const entry = { text: JSON.stringify({ ...claims, ...own }), ageMs: 0, servesMs: HOUR_MS, isFinal: false };
  // Repeats a failed write, since writes may time out on a busy machine.
  return cache.put(answers[at], entry).catch(() => putAnswer(at));
}

const lookForAnswer = (at) => cache.look(answers[at], HOUR_MS).catch(() => lookForAnswer(at));

async function forEach(keys, one) {
  let next = 0;
  const worker = async () => {
    while (next < keys.length) await one(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return true;
}

const ANSWERED = {
  sealedBytes: () => sealed.write('a key', newSession()).length,
  addSessions: () => forEach(sessions, addSession),
  findSessions: () => forEach(sessions, findSession),
  putAnswers: () => forEach(answers, putAnswer),
  lookForAnswers: () => forEach(answers, lookForAnswer),
};
process.on('message', async ({ id, ask }) => ask in ANSWERED && process.send({ id, answer: await ANSWERED[ask]() }));
process.send({ listening: 'nowhere' });
