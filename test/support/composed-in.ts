import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import type { RealmCopy } from './realm-copy.js';

export type ServiceName = 'service-a' | 'service-b' | 'service-c';

export const composedIn = (
  { baseUrl, issuer }: RealmCopy,
  clientId: ServiceName,
  more: Partial<KeycloakModuleOptions> = {},
  aheadSeconds = 0,
): ComposedKeycloak =>
  composeKeycloak(
    {
      internalServerUrl: baseUrl,
      issuer,
      clientId,
      clientSecret: SECRETS[clientId],
      allowInsecureRequests: true,
      ...more,
    },
    { clock: { ...systemClock, epochSeconds: () => Date.now() / 1000 + aheadSeconds } },
  );
