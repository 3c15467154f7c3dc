import { describe, expect, it } from '@jest/globals';
import { EnvironmentProxies } from './environment-proxies.js';

const PROXY = 'http://alice:secret-4711@proxy.example:3128';
const ON = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: PROXY, HTTPS_PROXY: 'https://secure-proxy.example' };

const labels = (environment: Readonly<Record<string, string>>, ...urls: readonly string[]): unknown[] => {
  const proxies = new EnvironmentProxies(environment);
  return urls.map((url) => proxies.proxyFor(new URL(url).origin)?.label);
};

describe('the proxies of the environment', () => {
  it('are used only if Node is configured to use proxies', () => {
    const { NODE_USE_ENV_PROXY: _, ...variables } = ON;
    const both = ['https://sso.example.com', 'http://service-b:3001'];
    expect(labels(ON, ...both)).toEqual(['secure-proxy.example', 'proxy.example:3128']);
    expect(labels(variables, ...both)).toEqual([undefined, undefined]);
    expect(labels({ ...ON, NODE_USE_ENV_PROXY: 'true' }, ...both)).toEqual([undefined, undefined]);
    expect(new EnvironmentProxies(variables, true).proxyFor('https://sso.example.com')).toBeDefined();
    expect(labels({ NODE_USE_ENV_PROXY: '1' }, ...both)).toEqual([undefined, undefined]);
  });

  it('come from the variable for the protocol, and lower-case variables take precedence', () => {
    const alone = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: PROXY };
    expect(labels(alone, 'https://sso.example.com', 'http://sso.example.com')).toEqual([
      undefined,
      'proxy.example:3128',
    ]);
    expect(labels({ ...ON, https_proxy: 'http://small:1' }, 'https://sso.example.com')).toEqual(['small:1']);
  });

  it.each([
    ['a name', 'sso.example.com', 'https://sso.example.com', true],
    ['a name in capitals', 'SSO.example.com', 'https://sso.example.com', true],
    ['a parent domain', 'example.com', 'https://sso.example.com', true],
    ['a name with the same ending', 'example.com', 'https://not-example.com', false],
    ['a name with a dot before it', '.example.com', 'https://sso.example.com', true],
    ['a name with a star before it', '*.example.com', 'https://sso.example.com', true],
    ['a port', 'sso.example.com:8443', 'https://sso.example.com:8443', true],
    ['another port', 'sso.example.com:8443', 'https://sso.example.com', false],
    ['the default port', 'sso.example.com:443', 'https://sso.example.com', true],
    ['one of several names', 'a.example, b.example c.example', 'https://c.example', true],
    ['a star', '*', 'https://sso.example.com', true],
    ['an address', '127.0.0.1', 'http://127.0.0.1:3000', true],
    ['an IPv6 address', '::1', 'http://[::1]:3000', true],
    ['an IPv6 address with a port', '[::1]:3000', 'http://[::1]:3000', true],
    ['an IPv6 address with another port', '[::1]:3001', 'http://[::1]:3000', false],
    ['an unsupported address range', '127.0.0.0/8', 'http://127.0.0.1', false],
    ['no name', ' , ', 'https://sso.example.com', false],
  ])('respect NO_PROXY with %s', (_, noProxy, url, isExempt) => {
    expect(labels({ ...ON, NO_PROXY: noProxy }, url)[0] === undefined).toBe(isExempt);
  });

  it.each([
    'proxy.example:3128',
    'socks5://proxy.example',
    'http://proxy.example/path',
    'http://proxy.example?x',
    'http://a:%zz@proxy.example',
    'http://%C3:%A9@proxy.example',
    'nonsense',
  ])('are rejected with the value %s, by an error that does not contain the value', (text) => {
    const { faults } = new EnvironmentProxies({ ...ON, HTTPS_PROXY: text });
    expect(faults).toEqual(['HTTPS_PROXY must be an http(s) URL of a proxy, without path']);
    expect(new EnvironmentProxies({ HTTPS_PROXY: text }).faults).toEqual([]);
  });

  it('print no credentials', () => {
    const proxies = new EnvironmentProxies(ON);
    const printed = JSON.stringify([proxies, proxies.proxyFor('http://x')]);
    expect(printed).not.toContain('secret-4711');
  });
});
