import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from 'nestjs-keycloak-s2s';
import { allowsOrigin } from './allows-origin.js';
import { demandOriginsInProduction, resolveEndpointOptions, type McpEndpointOptions } from './endpoint-options.js';

describe('resolveEndpointOptions', () => {
  it('names the scopes of the endpoint by default', () => {
    expect(resolveEndpointOptions({})).toEqual({ challenge: 'endpoint', allowedOrigins: undefined });
  });

  it.each([
    ['an unknown option', { allowOrigins: [] }, 'unknown option "allowOrigins"'],
    ['another challenge', { challenge: 'all' }, "challenge must be 'endpoint' or 'none'"],
    ['a word for allowedOrigins', { allowedOrigins: '*' }, "must be a list of origins or 'checked elsewhere'"],
    ['a host name', { allowedOrigins: ['app.example.com'] }, '"app.example.com" is not an origin'],
    ['a path', { allowedOrigins: ['https://app.example.com/'] }, '"https://app.example.com/" is not an origin'],
    ['an upper-case host', { allowedOrigins: ['https://App.example.com'] }, 'is not an origin'],
    ['the opaque origin', { allowedOrigins: ['null'] }, '"null" is not an origin'],
    ['a number', { allowedOrigins: [1] }, '1 is not an origin'],
  ])('refuses %s', (_, options, fault) => {
    const resolve = (): unknown => resolveEndpointOptions(options as McpEndpointOptions);
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(fault);
  });
});

describe('demandOriginsInProduction', () => {
  const demand = (options: McpEndpointOptions, nodeEnv: string | undefined) => (): void =>
    demandOriginsInProduction(resolveEndpointOptions(options), nodeEnv);

  it.each([['production'], ['prod'], [undefined]])('demands allowedOrigins when NODE_ENV is %s', (nodeEnv) => {
    expect(demand({}, nodeEnv)).toThrow(ConfigurationError);
    expect(demand({ allowedOrigins: [] }, nodeEnv)).not.toThrow();
    expect(demand({ allowedOrigins: 'checked elsewhere' }, nodeEnv)).not.toThrow();
  });

  it.each([['development'], ['test']])('demands nothing when NODE_ENV is %s', (nodeEnv) => {
    expect(demand({}, nodeEnv)).not.toThrow();
  });
});

describe('allowsOrigin', () => {
  const listed = { allowedOrigins: ['https://app.example.com'] };

  it.each([
    ['no Origin header', undefined, true],
    ['a listed origin', 'https://app.example.com', true],
    ['another scheme', 'http://app.example.com', false],
    ['another port', 'https://app.example.com:8443', false],
    ['a longer host', 'https://app.example.com.evil.test', false],
    ['the opaque origin', 'null', false],
    ['two origins', 'https://app.example.com, https://evil.test', false],
    ['localhost', 'http://localhost:6274', false],
    ['an empty header', '', false],
    ['two headers', ['https://app.example.com'], false],
  ])('with a list, judges %s', (_, origin, allowed) => {
    expect(allowsOrigin(listed, origin)).toBe(allowed);
  });

  it.each([
    ['http://localhost:6274', true],
    ['https://127.0.0.1', true],
    ['http://[::1]:3000', true],
    ['http://localhost.evil.test', false],
    ['https://evil.test', false],
    ['null', false],
  ])('without the option, judges %s', (origin, allowed) => {
    expect(allowsOrigin({ allowedOrigins: undefined }, origin)).toBe(allowed);
  });

  it('allows every origin that is checked elsewhere', () => {
    expect(allowsOrigin({ allowedOrigins: 'checked elsewhere' }, 'https://evil.test')).toBe(true);
  });
});
