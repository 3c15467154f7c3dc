import { describe, expect, it } from '@jest/globals';
import { parseServerTiming } from 'demo';
import { chainStory, type ChainStory } from './chain-story.js';

const story = (header: string): ChainStory => chainStory(parseServerTiming(header, 'nobody'));
const sentences = (header: string): string[] =>
  story(header).steps.map(({ from, to, words }) => `${from.name}>${to.name}: ${words}`);

const COLD =
  'service-a.introspection;desc="asked";dur=12, service-a.token-exchange;desc="requested";dur=31, service-a.call;desc="service-b 200";dur=96, ' +
  'service-b.introspection;desc="asked";dur=9, service-b.token-exchange;desc="requested";dur=22, service-b.call;desc="service-c 200";dur=17, ' +
  'service-c.introspection;desc="asked";dur=8, service-c.total;dur=9, service-b.total;dur=60, service-a.total;dur=1430';

describe('the steps that the page shows for a call chain', () => {
  it('shows all requests and the duration of each request if all caches are empty', () => {
    expect(sentences(COLD)).toEqual([
      'browser>service-a: The browser asks Service A to run the chain.',
      'service-a>keycloak: Service A asks Keycloak whether the token is valid.',
      "service-a>keycloak: Service A asks Keycloak to exchange the caller's token for one that opens Service B and nothing else.",
      'service-a>service-b: Service A calls Service B with the token made for it.',
      'service-b>keycloak: Service B asks Keycloak whether the token is valid.',
      "service-b>keycloak: Service B asks Keycloak to exchange the caller's token for one that opens Service C and nothing else.",
      'service-b>service-c: Service B calls Service C with the token made for it.',
      'service-c>keycloak: Service C asks Keycloak whether the token is valid.',
      'service-c>service-b: Service C answers Service B with 200.',
      'service-b>service-a: Service B answers Service A with 200.',
      'service-a>browser: Service A answers the browser.',
    ]);
    const { steps, summary } = story(COLD);
    expect(steps.map(({ duration }) => duration)).toEqual([
      undefined,
      '12 ms',
      '31 ms',
      undefined,
      '9.0 ms',
      '22 ms',
      undefined,
      '8.0 ms',
      '17 ms',
      '96 ms',
      '1.4 s',
    ]);
    expect(summary).toBe('5 of these steps asked Keycloak.');
  });

  it('shows a signature check at the service, and no request to Keycloak', () => {
    const signed = COLD.replaceAll('introspection;desc="asked"', 'jwt;desc="verified"');
    const { steps, summary } = story(signed);
    const checked = steps.filter(({ mark }) => mark === 'checked here');
    expect(checked.map(({ from, to, words }) => `${from.name}>${to.name}: ${words}`)).toEqual(
      ['a', 'b', 'c'].map(
        (name) =>
          `service-${name}>service-${name}: Service ${name.toUpperCase()} checks the token's signature by Keycloak's public keys.`,
      ),
    );
    expect(summary).toBe('2 of these steps asked Keycloak.');
    const own = signed.replaceAll('requested', 'reused');
    expect(story(own).summary).toBe('None of these steps asked Keycloak.');
    const known = story(own.replaceAll('verified', 'cached'));
    expect(known.steps.find(({ mark }) => mark === 'from cache')?.words).toBe(
      'Service A has seen this token, and checked its signature then.',
    );
    expect(known.summary).toMatch(/every token and every answer was in a cache/);
    expect(story(own.replaceAll('verified', 'joined')).steps[1]).toMatchObject({
      mark: 'waited',
      to: { name: 'service-a' },
    });
  });

  it('shows no request to Keycloak if all tokens were cached', () => {
    const warm = COLD.replaceAll('asked', 'cached')
      .replace('service-a.token-exchange;desc="requested"', 'service-a.client-credentials;desc="reused"')
      .replaceAll('requested', 'reused');
    const { steps, summary } = story(warm);
    expect(steps.filter(({ mark }) => mark === 'from cache').map(({ words }) => words)).toEqual([
      'Service A has seen this token: Keycloak confirmed it a moment ago.',
      'Service A has its own token for Service B in its cache.',
      'Service B has seen this token: Keycloak confirmed it a moment ago.',
      'Service B has the exchanged token for Service C in its cache.',
      'Service C has seen this token: Keycloak confirmed it a moment ago.',
    ]);
    expect(steps.some(({ to }) => to.name === 'keycloak')).toBe(false);
    expect(summary).toMatch(/^None of these steps asked Keycloak/);
    const waited = story(warm.replace('cached', 'joined'));
    expect(waited.steps[1]).toMatchObject({ mark: 'waited', to: { name: 'keycloak' } });
    expect(waited.summary).toMatch(/waited for the answer to another request/);
  });

  it('ignores metrics whose service is the browser or Keycloak', () => {
    const lying = 'service-a.call;desc="service-b 200";dur=9, keycloak.introspection;desc="asked", browser.total;dur=1';
    expect(sentences(`${lying}, service-b.introspection;desc="cached", service-a.total;dur=9`)).toEqual([
      'browser>service-a: The browser asks Service A to run the chain.',
      'service-a>service-b: Service A calls Service B with the token made for it.',
      'service-b>service-a: Service B answers Service A with 200.',
      'service-b>service-b: Service B has seen this token: Keycloak confirmed it a moment ago.',
      'service-a>browser: Service A answers the browser.',
    ]);
  });

  it('omits calls to Keycloak or the browser, and answers of services that were not called', () => {
    const lying = 'service-a.call;desc="service-b 200";dur=9, service-b.call;desc="keycloak 200";dur=1, ';
    expect(
      sentences(`${lying}service-b.call;desc="browser 403";dur=1, service-c.total;dur=1, service-a.total;dur=9`),
    ).toEqual([
      'browser>service-a: The browser asks Service A to run the chain.',
      'service-a>service-b: Service A calls Service B with the token made for it.',
      'service-b>service-a: Service B answers Service A with 200.',
      'service-a>browser: Service A answers the browser.',
    ]);
  });

  it('shows which party refused a call: Keycloak, the cache, the called service or a later service', () => {
    const bob =
      'service-a.introspection;desc="cached";dur=0, service-a.token-exchange;desc="requested";dur=31, ' +
      'service-a.refused;desc="insufficient_scope", service-a.total;dur=48';
    expect(sentences(bob).slice(3)).toEqual([
      'keycloak>service-a: Keycloak refuses: the caller may not do this.',
      'service-a>browser: Service A tells the browser why.',
    ]);
    expect(sentences(bob.replace('requested', 'reused')).slice(2, 4)).toEqual([
      'service-a>service-a: Service A remembers that Keycloak refused a token for Service B a moment ago.',
      'service-a>service-a: Service A refuses: the caller may not do this.',
    ]);
    const atC =
      'service-a.call;desc="service-b 502";dur=9, service-b.call;desc="service-c 403";dur=5, ' +
      'service-c.refused;desc="client_not_allowed", service-c.total;dur=1, ' +
      'service-b.refused;desc="service_refused", service-b.total;dur=7, service-a.refused;desc="service_failed", service-a.total;dur=10';
    expect(sentences(atC).slice(3)).toEqual([
      'service-c>service-c: Service C refuses: this client may not call it.',
      'service-c>service-b: Service C answers Service B with 403.',
      'service-b>service-b: Service B refuses: the next service refused its token.',
      'service-b>service-a: Service B answers Service A with 502.',
      'service-a>service-a: Service A refuses: the next service failed.',
      'service-a>browser: Service A tells the browser why.',
    ]);
  });

  it('shows services that did not answer or that reported no steps', () => {
    const header =
      'service-a.call;desc="service-b failed";dur=9, service-a.refused;desc="service_unavailable", service-a.total;dur=9';
    expect(sentences(header).slice(1, 3)).toEqual([
      'service-a>service-b: Service A calls Service B with the token made for it.',
      'service-b>service-a: Service B gives no answer.',
    ]);
    expect(sentences('service-a.call;desc="service-b 200";dur=9, service-a.total;dur=9').slice(2)).toEqual([
      'service-b>service-a: Service B answers Service A with 200.',
      'service-a>browser: Service A answers the browser.',
    ]);
  });

  it('leaves out services that are not part of the chain', () => {
    expect(sentences('service-x.introspection;desc="asked";dur=1, service-a.total;dur=9')).toHaveLength(2);
  });
});
