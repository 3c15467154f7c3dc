import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { KEYCLOAK } from '../../libs/keycloak/src/module/keycloak.module-definition.js';
import { keycloakEvents } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import type { RunningService } from './running-service.js';
import type { RunningServices, ServerAddress } from './running-services.js';
import { READER } from './signals-realm.js';
import { until } from './until.js';

const POLL_MS = 250;

const composedIn = ({ app }: RunningService): ComposedKeycloak =>
  app.get<ComposedKeycloak>(KEYCLOAK, { strict: false });

export async function receiveRevocations(
  services: RunningServices,
  { issuer }: ServerAddress,
  others: readonly RunningService[] = [services.b, services.c],
): Promise<{ stop(): Promise<void> }> {
  const own = composedIn(services.a);
  const readers = others.map((service) => ({ reader: readerAt(issuer), receiver: composedIn(service) }));
  const feeds = [{ reader: own, receiver: own }, ...readers].map(({ reader, receiver }) => {
    const options = { sources: [keycloakEvents()], pollMs: POLL_MS };
    const feed = new SignalFeed(reader.issuers[0], receiver.revocations, options);
    feed.start();
    return feed;
  });
  await Promise.all([own, ...readers.map(({ reader }) => reader)].map(untilHealthy));
  return { stop: async () => void (await Promise.all(feeds.map((feed) => feed.stop()))) };
}

const readerAt = (issuer: string): ComposedKeycloak =>
  composeKeycloak({ issuer, clientId: READER, clientSecret: SECRETS[READER], allowInsecureRequests: true });

const untilHealthy = ({ status }: ComposedKeycloak): Promise<void> =>
  until(() => status.read().signals.state === 'healthy', 'the signal feed is healthy');
