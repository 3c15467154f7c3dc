import type { ContractCase } from './expectations.js';
import { receiverAt, ssfAnswer, STATUS, STREAMS, VERIFY, withReceiver } from './receivers.js';
import { request } from './requests.js';
import { RECEIVER_OF_FILE } from './signalling-realm.js';

const METADATA = '/.well-known/ssf-configuration';
const NOT_FOUND = [404, { error: 'HTTP 404 Not Found' }];
const T = '<issuer>/ssf/transmitter';

export const SSF_DISCOVERY_CASES: readonly ContractCase[] = [
  {
    title: 'has metadata in which all addresses begin with the issuer',
    async ask(server) {
      const own = await server.ownRealm('with signals');
      return ssfAnswer(await request(own, METADATA), { '<issuer>': own.issuer });
    },
    answer: [
      200,
      {
        spec_version: '1_0',
        issuer: '<issuer>',
        jwks_uri: '<issuer>/protocol/openid-connect/certs',
        delivery_methods_supported: [
          'urn:ietf:rfc:8935',
          'urn:ietf:rfc:8936',
          'https://schemas.openid.net/secevent/risc/delivery-method/push',
          'https://schemas.openid.net/secevent/risc/delivery-method/poll',
        ],
        configuration_endpoint: `${T}/streams`,
        status_endpoint: `${T}/streams/status`,
        add_subject_endpoint: `${T}/subjects/add`,
        remove_subject_endpoint: `${T}/subjects/remove`,
        verification_endpoint: `${T}/verify`,
        critical_subject_members: ['user'],
        default_subjects: 'NONE',
        authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
      },
    ],
  },
  {
    title: 'has no endpoints in a realm that does not enable the transmitter, even for a valid token',
    ask: (server) =>
      withReceiver(server, {}, async ({ pollPath, token }) => {
        const headers = { authorization: `Bearer ${await token()}` };
        const asked = [
          request(server, METADATA),
          request(server, STREAMS, { headers }),
          request(server, STATUS, { headers }),
          request(server, VERIFY, { headers, method: 'POST' }),
          request(server, pollPath, { headers, method: 'POST' }),
        ];
        const { status } = await server.administrator.ask('GET', '/ssf/clients/service-a/stream');
        return [...(await Promise.all(asked)).map((reply) => ssfAnswer(reply)), status];
      }),
    answer: [NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, 404],
  },
  {
    title: 'is enabled and disabled by an attribute of the realm, in upper or lower case',
    async ask(server) {
      const own = await server.ownRealm('with signals');
      const { attributes } = await own.administrator.read<{ attributes: object }>('');
      const after = async (enabled: string): Promise<number> => {
        const changed = { ...attributes, 'ssf.transmitterEnabled': enabled };
        await own.administrator.change('PUT', '', { attributes: changed });
        return (await request(own, METADATA)).status;
      };
      return [await after('false'), await after('on'), await after('TRUE'), await after('true')];
    },
    answer: [404, 404, 200, 200],
  },
  {
    title: 'has the stream of the realm file as soon as the realm is imported',
    async ask(server) {
      const own = await server.ownRealm('with signals');
      const receiver = receiverAt(own, RECEIVER_OF_FILE);
      const { members } = await receiver.ask('GET', `${STATUS}?stream_id=${RECEIVER_OF_FILE.streamId}`);
      return [members, await receiver.verify('first'), (await receiver.polled()).filter((name) => name === 'first')];
    },
    answer: [{ stream_id: RECEIVER_OF_FILE.streamId, status: 'enabled' }, [204], ['first']],
  },
];
