import type { Difference } from './differences.js';
import { STREAMS, withReceiver } from './receivers.js';

export const SSF_DIFFERENCES: readonly Difference[] = [
  {
    title: "a receiver can't add or remove subjects",
    ask: (server) =>
      withReceiver(server, {}, async ({ ask, streamId }, own) => {
        const sub = await own.subjectOf('alice');
        const body = { stream_id: streamId, subject: { format: 'iss_sub', iss: own.issuer, sub } };
        return (await ask('POST', '/ssf/transmitter/subjects/add', body)).status;
      }),
    keycloak: 200,
    embedded: 501,
  },
  {
    title: "a stream can't be delivered by push",
    ask: (server) =>
      withReceiver(server, { isEmpty: true }, async ({ ask, changeAttributes }) => {
        await changeAttributes({ 'ssf.validPushUrls': 'https://receiver.example/*' });
        const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://receiver.example/' };
        return (await ask('POST', STREAMS, { delivery })).status;
      }),
    keycloak: 201,
    embedded: 501,
  },
  {
    title: "administrators can't emit events",
    ask: (server) =>
      withReceiver(server, {}, async ({ clientId, polled }, own) => {
        const sub_id = { format: 'iss_sub', iss: own.issuer, sub: await own.subjectOf('alice') };
        const event = { change_type: 'update', credential_type: 'password' };
        const body = { eventType: 'CaepCredentialChange', sub_id, event };
        const status = await own.administrator.statusOf('POST', `/ssf/clients/${clientId}/events/emit`, { body });
        return [status, await polled()];
      }),
    keycloak: [200, ['credential-change']],
    embedded: [501, []],
  },
];
