import { describe, expect, it } from '@jest/globals';
import { isProduction } from './production.js';

describe('isProduction', () => {
  it.each(['development', 'test'])('is false for %s', (nodeEnv) => {
    expect(isProduction(nodeEnv)).toBe(false);
  });

  it.each([undefined, '', ' ', 'production', 'Production', 'prod', 'staging', 'Test', 'test ', 'development,test'])(
    'is true for %j',
    (nodeEnv) => {
      expect(isProduction(nodeEnv)).toBe(true);
    },
  );
});
