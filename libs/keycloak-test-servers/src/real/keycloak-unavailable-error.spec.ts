import { describe, expect, it } from '@jest/globals';
import { KeycloakUnavailableError } from './keycloak-unavailable-error.js';

describe('KeycloakUnavailableError', () => {
  it('says what failed and what to install', () => {
    const { message, name } = new KeycloakUnavailableError('26.7.4', ['Docker: no engine answers', 'Java: not found']);
    expect(name).toBe('KeycloakUnavailableError');
    expect(message).toContain('  - Docker: no engine answers\n  - Java: not found\n');
    expect(message).toMatch(/Docker, running and able to pull \S+:26\.7\.4/);
    expect(message).toContain('Java 17 or newer');
    expect(message).toContain('mvn');
  });
});
