import type { SignalSource } from 'nestjs-keycloak-s2s/signals';
import type { KeycloakModel } from './keycloak-model.js';

/** This overlap of polls is too short to return an event that an earlier poll has missed. */
const OVERLAP_MS = 5;

/** A complete poll returns all events up to the time of the poll. */
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
