// Serves one guarded route as a replica that has many hot tokens in its caches: verified by `ttl` (introspection),
// `feed` (introspection, with a healthy feed) or `jwt` (signatures). The replica also exchanges each token.
import { Controller, Get } from '@nestjs/common';
import { AccessTokenVerifier, KeycloakModule, RequirePermission, TokenExchangeClient } from 'nestjs-keycloak-s2s';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { KEYCLOAK } from '../../libs/keycloak/dist/module/keycloak.module-definition.js';
import { answerInProcess, answerOverHttp, readTokens } from '../measure/hot-tokens.mjs';
import { decorateClass, decorateMethod, keycloakOptions, listen } from './nest.mjs';

const [KIND, COUNT] = process.argv.slice(2);
const { TOKENS_FILE, MAX_ENTRIES } = process.env;
const PROOF_EVERY_MS = 1000;
const AT_ONCE = 100;
const maxEntries = Number(MAX_ENTRIES);

class RouteController {
  answer() {
    return { answer: 42 };
  }
}
decorateMethod(RouteController, 'answer', Get(), RequirePermission('orders.read'));
decorateClass(RouteController, Controller('route'));

let parts;
const provider = {
  provide: 'parts',
  inject: [AccessTokenVerifier, TokenExchangeClient, KEYCLOAK],
  useFactory(verifier, exchanges, { issuers: [{ signals }] }) {
    parts = { verifier, exchanges, signals };
    return parts;
  },
};

const ANSWERS = {
  /** Fills the caches without HTTP, then collects garbage. */
  async fill() {
    const tokens = readTokens(TOKENS_FILE);
    answerInProcess();
    for (let next = 0; next < Number(COUNT); next += AT_ONCE) {
      const length = Math.min(AT_ONCE, Number(COUNT) - next);
      await Promise.all(Array.from({ length }, (_, n) => use(tokens.at(next + n))));
    }
    answerOverHttp();
    for (let n = 0; n < 4; n += 1) globalThis.gc();
    return process.memoryUsage();
  },
};
process.on('message', async ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: await ANSWERS[ask]() }));

await listen({
  imports: [KeycloakModule.forRoot({ ...keycloakOptions(process.env), ...options() })],
  providers: [provider],
  controllers: [RouteController],
});
if (KIND === 'feed') {
  prove();
  setInterval(prove, PROOF_EVERY_MS);
}

async function use(text) {
  const token = await parts.verifier.verify(text);
  await parts.exchanges.exchange(token, { audience: 'stock', scope: 'stock.read' });
}

function prove() {
  parts.signals.prove({ sinceMs: 0, untilMs: performance.now() });
}

function options() {
  const sizes = { maxCachedIntrospections: maxEntries, maxCachedTokens: maxEntries };
  // The check at the start would introspect a token while the caches are filled. On a busy machine, no call may fail.
  const calm = { verifyAtStart: false, timeoutMs: 30_000 };
  if (KIND === 'feed') return { ...sizes, ...calm, introspectionTtlWithEventsSeconds: 300 };
  if (KIND === 'ttl') return { ...sizes, ...calm };
  return { ...sizes, ...calm, verification: 'jwt', jwt: jwtVerification({ maxVerifiedTokens: maxEntries }) };
}
