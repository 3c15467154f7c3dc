import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectedSource } from '../../../../spec-support/shared-signals-source.js';
import { SsfTransmitter } from '../../../../spec-support/ssf-transmitter.js';
import { StillClock } from '../../../../spec-support/still-clock.js';
import { ConfigurationError } from '../../../protocol/configuration-faults.js';
import { sharedSignals, type SharedSignalsOptions } from '../index.js';

const clock = new StillClock();
let transmitter: SsfTransmitter;

beforeAll(async () => {
  transmitter = await SsfTransmitter.start(clock);
});
afterAll(() => transmitter.stop());

describe('sharedSignals', () => {
  it('works without options', () => {
    expect(sharedSignals().name).toBe('shared_signals');
  });

  it.each<[unknown, string]>([
    [{ stream: 'x' }, 'unknown option "stream"'],
    [{ configurationUrl: 'ssf' }, 'configurationUrl must be an http(s) URL without user, query and fragment'],
    [
      { configurationUrl: 'https://a:b@sso.example.com' },
      'configurationUrl must be an http(s) URL without user, query and fragment',
    ],
    [
      { configurationUrl: 'ftp://sso.example.com' },
      'configurationUrl must be an http(s) URL without user, query and fragment',
    ],
    [{ streamId: '' }, 'streamId must be a text'],
    [{ audience: 1 }, 'audience must be a text'],
    [{ scope: '' }, 'scope must consist of scope names, separated by single spaces'],
    [{ scope: 'a  b' }, 'scope must consist of scope names, separated by single spaces'],
  ])('rejects %j', (options, fault) => {
    const make = () => sharedSignals(options as SharedSignalsOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(fault);
  });

  it('rejects a configurationUrl on another origin than the issuer', () => {
    const connect = (configurationUrl: string) => () => connectedSource(transmitter, { clock }, { configurationUrl });
    expect(connect('https://evil.example.com/.well-known/ssf-configuration')).toThrow(ConfigurationError);
    expect(connect(`${transmitter.origin}/anywhere`)).not.toThrow();
  });

  it('requests a token with the given scope', async () => {
    const { configurationUrl } = transmitter;
    await connectedSource(transmitter, { clock }, { configurationUrl, scope: 'feeds' }).poll(0);
    expect(transmitter.scopes).toEqual(['feeds']);
  });
});
