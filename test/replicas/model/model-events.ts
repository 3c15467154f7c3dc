/** ModelEvents: a signal source over the log of the model of Keycloak. */
import type { SignalSource } from 'nestjs-keycloak-s2s/signals';
import type { KeycloakModel } from './keycloak-model.js';

/** So little that what a poll does not read is missed. */
const OVERLAP_MS = 5;

/** It proves each poll that reads all: what the model says, it says of everything until it was asked. */
export const modelEvents = (keycloak: KeycloakModel): SignalSource => ({
  name: 'model',
  connect: () => ({
    poll: async (sinceMs) => {
      const { events, isWhole } = await keycloak.events(performance.now() - sinceMs - OVERLAP_MS);
      return {
        denials: events.flatMap(({ what }) => ('ended' in what ? { sid: what.ended.sid } : [])),
        rechecks: events.flatMap(({ what }) => ('changed' in what ? { sub: what.changed.sub } : [])),
        isWhole,
        isProven: isWhole,
      };
    },
  }),
});
