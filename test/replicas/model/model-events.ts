import type { SignalSource } from 'nestjs-keycloak-s2s/signals';
import type { KeycloakModel } from './keycloak-model.js';

/** So short that an event that a poll does not read is missed for good. */
const OVERLAP_MS = 5;

/** Proves each complete poll, because the log of the model has everything up to the time of the poll. */
export const modelEvents = (keycloak: KeycloakModel): SignalSource => ({
  name: 'model',
  connect: () => ({
    poll: async (sinceMs) => {
      const { events, isWhole } = await keycloak.events(performance.now() - sinceMs - OVERLAP_MS);
      return {
        denials: events.flatMap(({ what }) => ('ended' in what ? { sid: what.ended.sid } : [])),
        rechecks: events.flatMap(({ what }) => ('changed' in what ? { sub: what.changed.sub } : [])),
        isWhole,
        isHealthy: isWhole,
      };
    },
  }),
});
