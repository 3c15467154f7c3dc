import { EVENT_TYPES } from './receivers.js';

const signed = (claims: object) => ({
  header: { alg: 'RS256', typ: 'secevent+jwt', kid: 'string' },
  isKeyedByItsId: true,
  claims: { jti: '<uuid>', iss: '<issuer>', iat: '<time>', aud: 'the-audience', txn: '<uuid>', ...claims },
});

const USER = { format: 'iss_sub', iss: '<issuer>', sub: '<sub>' };

/** Keycloak reports the user as the initiator even if an administrator ended the session. */
export const sessionRevoked = (id: string) =>
  signed({
    events: {
      [EVENT_TYPES.sessionRevoked]: {
        event_timestamp: '<time>',
        initiating_entity: 'user',
        reason_admin: { en: 'User logout' },
      },
    },
    sub_id: { format: 'complex', user: USER, session: { format: 'opaque', id } },
  });

export const credentialChange = signed({
  events: {
    [EVENT_TYPES.credentialChange]: {
      event_timestamp: '<time>',
      initiating_entity: 'admin',
      credential_type: 'password',
      change_type: 'update',
      kc_credential_type: 'password',
    },
  },
  sub_id: USER,
});

export const verification = (event: object, claims: object = {}) =>
  signed({ events: { [EVENT_TYPES.verification]: event }, sub_id: { format: 'opaque', id: '<stream>' }, ...claims });

export const streamUpdated = (status: object, event: object = {}) =>
  signed({
    events: { [EVENT_TYPES.streamUpdated]: { status: { stream_id: '<stream>', ...status }, ...event } },
    sub_id: { format: 'opaque', id: '<stream>' },
  });
