import { describe, expect, it } from '@jest/globals';
import { BearerError } from '../protocol/bearer-error.js';
import { audienceFinding, type Question } from './audience-finding.js';

const findingFor = (refusal: BearerError) =>
  audienceFinding({
    service: { name: 'inventory', audience: 'inventory-api', scopes: undefined },
    options: { clientId: 'orders' },
    probe: { exchange: () => Promise.reject(refusal) },
    hasServiceAccount: true,
  } as object as Question);

describe('the finding about the audience of a called service', () => {
  it('names the mapper because of which Keycloak 26.8 exchanges no token of the service', async () => {
    const fields = { description: 'The subject_token has an act claim' };
    const refusal = new BearerError('insufficient_scope', { reason: 'delegation_token_refused', fields });
    expect(await findingFor(refusal)).toMatchObject({
      check: 'next_service',
      level: 'error',
      message: expect.stringContaining('delegation_token_refused, and says: "The subject_token has an act') as unknown,
      cure: expect.stringMatching(/^A mapper adds act or may_act to the tokens of orders\. Remove/) as unknown,
    });
  });

  it('is ok if the service refuses the token only for its missing scope', async () => {
    const refusal = new BearerError('insufficient_scope', { reason: 'permission_not_granted_to_subject' });
    expect(await findingFor(refusal)).toMatchObject({ check: 'next_service', level: 'ok' });
  });
});
