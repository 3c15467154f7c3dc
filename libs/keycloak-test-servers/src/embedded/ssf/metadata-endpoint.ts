/** SSF 1.0 §7. */
import { json, type HttpAnswer } from '../http/http-call.js';
import type { ServerState } from '../state/server-state.js';
import { NOT_FOUND } from './ssf-refusal.js';
import { hasTransmitter } from '../streams/transmitter.js';

/** The addresses in the SSF metadata come from the issuer, not from the origin of the request. */
export function metadataEndpoint(server: ServerState): HttpAnswer {
  if (!hasTransmitter(server)) throw NOT_FOUND;
  const { issuer } = server;
  const transmitter = `${issuer}/ssf/transmitter`;
  const document = {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/protocol/openid-connect/certs`,
    delivery_methods_supported: [
      'urn:ietf:rfc:8935',
      'urn:ietf:rfc:8936',
      'https://schemas.openid.net/secevent/risc/delivery-method/push',
      'https://schemas.openid.net/secevent/risc/delivery-method/poll',
    ],
    configuration_endpoint: `${transmitter}/streams`,
    status_endpoint: `${transmitter}/streams/status`,
    add_subject_endpoint: `${transmitter}/subjects/add`,
    remove_subject_endpoint: `${transmitter}/subjects/remove`,
    verification_endpoint: `${transmitter}/verify`,
    critical_subject_members: ['user'],
    default_subjects: 'NONE',
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
  };
  return json(200, document, { 'cache-control': 'no-cache, must-revalidate, no-transform, no-store' });
}
