// Nine processes for each way to verify tokens, with their own Valkey and their own proxy to Keycloak.
import { startCounter } from './counter.mjs';
import { KINDS } from './outage-tokens.mjs';
import { sharing, startReplicas } from './replicas.mjs';
import { startPoller } from './signals.mjs';
import { SteadyLoad } from './steady.mjs';

export const REPLICAS = 3;
const STALE = { INTROSPECTION_STALE_IF_ERROR_SECONDS: '600' };
const FEED = { INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' };
const JWT = { TOKEN_VERIFICATION: 'jwt' };

/** `outage` is how Keycloak fails. A fleet that `trustsSignatures` learns about no logout. */
export const FLEETS = [
  { name: 'ttl 10', env: {}, outage: 'refuse' },
  { name: 'ttl 10, stale 600', env: STALE, outage: 'refuse' },
  { name: 'ttl 10, stale 600, hung', env: STALE, outage: 'hang' },
  { name: 'feed', env: FEED, hasFeed: true, outage: 'refuse' },
  { name: 'feed, stale 600', env: { ...FEED, ...STALE }, hasFeed: true, outage: 'refuse' },
  { name: 'jwt', env: JWT, outage: 'refuse', trustsSignatures: true },
  { name: 'jwt, feed', env: JWT, hasFeed: true, outage: 'refuse' },
];

export async function startFleet(fleet, { keycloak, valkey, start, signal, rate }) {
  const counter = await startCounter(keycloak, start);
  const env = { ...sharing(valkey.url, { level2: true }), ...fleet.env };
  const poller = fleet.hasFeed ? await startPoller(counter.keycloak, env, signal) : undefined;
  const replicas = await startReplicas(counter.keycloak, REPLICAS, { env, signal });
  const kinds = KINDS.map((kind) => ({ ...kind, isOn: false }));
  const urls = replicas.chains.map(({ a }) => a.url);
  const load = new SteadyLoad(urls, kinds, rate);
  return {
    ...fleet,
    load,
    async takeKeycloakAway() {
      await counter[fleet.outage]();
      this.downMs = performance.now();
    },
    async giveKeycloakBack() {
      this.upMs = performance.now();
      await counter.answerAgain();
      this.backMs = performance.now();
    },
    /** Returns the calls since Keycloak is back. */
    callsAgain: () => counter.callsAgain(),
    giveTokens(sessions) {
      for (const kind of kinds) kind.tokens = sessions[kind.name]?.map(({ accessToken }) => accessToken);
    },
    turn(isOn, ...names) {
      for (const kind of kinds) if (names.includes(kind.name)) kind.isOn = isOn;
    },
    stop: () => Promise.all([poller?.stop(), replicas.stop()]),
  };
}
