import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../index.js';
import { microservicesRequestAdapter } from './index.js';

describe('microservicesRequestAdapter', () => {
  it.each<[string, unknown]>([
    ['a misspelt option name', { rejectRefuse: true }],
    ['a text instead of a boolean', { rejectRefused: 'yes' }],
  ])('refuses options with %s', (_, options) => {
    expect(() => microservicesRequestAdapter(options as never)).toThrow(ConfigurationError);
  });

  it('works without options', () => {
    expect(microservicesRequestAdapter()).toMatchObject({ kind: 'rpc' });
    expect(microservicesRequestAdapter({ rejectRefused: true })).toMatchObject({ kind: 'rpc' });
  });
});
