/** What is refused of the options of the carrier for messages. */
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../index.js';
import { microservicesCarrier } from './index.js';

describe('microservicesCarrier', () => {
  it.each<[string, unknown]>([
    ['a misspelt name', { rejectRefuse: true }],
    ['a word', { rejectRefused: 'yes' }],
  ])('is refused with %s', (_, options) => {
    expect(() => microservicesCarrier(options as never)).toThrow(ConfigurationError);
  });

  it('needs none', () => {
    expect(microservicesCarrier()).toMatchObject({ kind: 'rpc' });
    expect(microservicesCarrier({ rejectRefused: true })).toMatchObject({ kind: 'rpc' });
  });
});
