import { describe, expect, it } from '@jest/globals';
import { meaningOf, type EventMeaning } from './event-meaning.js';

const ISSUER = 'https://sso.example.com/realms/shop';
const IAT = 1_700_000_000;
const caep = (name: string): string => `https://schemas.openid.net/secevent/caep/event-type/${name}`;
const risc = (name: string): string => `https://schemas.openid.net/secevent/risc/event-type/${name}`;
const ssf = (name: string): string => `https://schemas.openid.net/secevent/ssf/event-type/${name}`;

const user = (sub: unknown = 'alice', iss: unknown = ISSUER) => ({ format: 'iss_sub', iss, sub });
const session = (id: unknown = 's1', format: unknown = 'opaque') => ({ format, id });
const complex = (members: object) => ({ format: 'complex', ...members });
const email = { format: 'email', email: 'alice@example.com' };

const meaning = (
  events: unknown,
  subId: unknown,
  criticalMembers: readonly string[] = ['user'],
  issuedAt = IAT,
): EventMeaning => meaningOf({ issuedAt, events, subId }, { issuer: ISSUER, streamId: 'f81d', criticalMembers });
const revoked = (subId: unknown, criticalMembers?: readonly string[]): EventMeaning =>
  meaning({ [caep('session-revoked')]: {} }, subId, criticalMembers);

const ofSession = { kind: 'ended', denial: { sid: 's1' } };
const ofAlice = { kind: 'ended', denial: { sub: 'alice', issuedBefore: IAT + 1 } };
const doubt = (recheck: unknown, fault?: string) => ({
  kind: 'uncertain',
  recheck,
  ...(fault === undefined ? {} : { fault }),
});

describe('meaningOf() for a session-revoked event', () => {
  it.each<[string, unknown, object]>([
    ['of a user', complex({ user: user(), session: session() }), ofSession],
    ['of nobody who is named', complex({ session: session() }), ofSession],
    ['of all that a user has, as Keycloak says it', complex({ user: user(), session: session('ALL') }), ofAlice],
    ['of a user, without a session', complex({ user: user() }), ofAlice],
    ['of a user alone', user(), ofAlice],
    ['of whoever may be meant', complex({ session: session('ALL') }), doubt('everything', 'subject_unknown')],
    [
      'of a session that is named otherwise',
      complex({ user: user(), session: session('x', 'uri') }),
      doubt({ sub: 'alice' }, 'session_unknown'),
    ],
    [
      'of a session without a name',
      complex({ user: user(), session: session('') }),
      doubt({ sub: 'alice' }, 'session_unknown'),
    ],
    [
      'of a session that is a text',
      complex({ user: user(), session: 's1' }),
      doubt({ sub: 'alice' }, 'session_unknown'),
    ],
    [
      'of a user of another issuer',
      complex({ user: user('alice', `${ISSUER}2`), session: session() }),
      doubt('everything', 'subject_of_other_issuer'),
    ],
    [
      'of another issuer alone',
      user('alice', 'https://evil.example.com'),
      doubt('everything', 'subject_of_other_issuer'),
    ],
    ['of an address', email, doubt('everything', 'subject_unknown')],
    ['of an opaque name', { format: 'opaque', id: 'alice' }, doubt('everything', 'subject_unknown')],
    ['of a user without a name', user(''), doubt('everything', 'subject_unknown')],
    ['of a user with a name longer than any', user('x'.repeat(1025)), doubt('everything', 'subject_unknown')],
    ['of a list', [user()], doubt('everything', 'subject_unknown')],
    ['of nobody', undefined, doubt('everything', 'subject_unknown')],
  ])('maps an event %s', (_, subId, expected) => {
    expect(revoked(subId)).toEqual(expected);
  });

  it.each<[string, object, readonly string[], object]>([
    [
      'a critical user that is an address',
      { user: email, session: session() },
      ['user'],
      doubt('everything', 'critical_member_unknown'),
    ],
    ['an address that is not critical', { user: email, session: session() }, [], ofSession],
    ['an address that is not critical, of all sessions', { user: email }, [], doubt('everything', 'subject_unknown')],
    [
      'a critical member that nobody knows',
      { user: user(), tenant: { format: 'opaque', id: 't' } },
      ['tenant'],
      doubt('everything', 'critical_member_unknown'),
    ],
    ['a member that is not critical', { user: user(), tenant: { format: 'opaque', id: 't' } }, ['user'], ofAlice],
    ['a critical member that is not there', { user: user() }, ['tenant', 'user'], ofAlice],
  ])('maps a subject with %s', (_, members, critical, expected) => {
    expect(revoked(complex(members), critical)).toEqual(expected);
  });

  it('denies tokens up to the second in which the event was issued', () => {
    expect(meaning({ [caep('session-revoked')]: { event_timestamp: IAT + 900 } }, user(), [], IAT + 0.9)).toEqual(
      ofAlice,
    );
  });
});

describe('meaningOf() for other events', () => {
  it.each<[string, string, object]>([
    ['a user who is disabled', risc('account-disabled'), ofAlice],
    ['a user who is deleted', risc('account-purged'), ofAlice],
    ['sessions by their older name', risc('sessions-revoked'), ofAlice],
    ['a new password', caep('credential-change'), { kind: 'nothing' }],
    ['a session that begins', caep('session-established'), { kind: 'nothing' }],
    ['a session that is seen', caep('session-presented'), { kind: 'nothing' }],
    ['a user who is enabled', risc('account-enabled'), { kind: 'nothing' }],
    ['other claims', caep('token-claims-change'), doubt({ sub: 'alice' })],
    ['another level', caep('assurance-level-change'), doubt({ sub: 'alice' })],
    ['a device', caep('device-compliance-change'), doubt({ sub: 'alice' })],
    ['a risk', caep('risk-level-change'), doubt({ sub: 'alice' })],
    ['a password that somebody knows', risc('credential-compromise'), doubt({ sub: 'alice' })],
    ['what nobody knows', 'https://example.com/event', doubt({ sub: 'alice' }, 'event_unknown')],
    ['what is no event but a name of all objects', 'constructor', doubt({ sub: 'alice' }, 'event_unknown')],
  ])('maps an event about %s', (_, type, expected) => {
    expect(meaning({ [type]: {} }, user())).toEqual(expected);
  });

  it('rechecks the session of an unknown event', () => {
    expect(meaning({ 'https://example.com/event': {} }, complex({ session: session() }))).toEqual(
      doubt({ sid: 's1' }, 'event_unknown'),
    );
  });

  it.each<[string, unknown]>([
    ['none', {}],
    ['no object', 'x'],
    ['two', { [caep('session-revoked')]: {}, [caep('credential-change')]: {} }],
  ])('rechecks the user if the token does not have exactly one event: %s', (_, events) => {
    expect(meaning(events, user())).toEqual(doubt({ sub: 'alice' }, 'not_one_event'));
  });
});

describe('meaningOf() for a stream event', () => {
  const stream = { format: 'opaque', id: 'f81d' };

  it.each<[string, string, unknown, unknown, object]>([
    ['verification', 'verification', { state: 'n' }, stream, { kind: 'verification', state: 'n' }],
    ['verification that nobody asked for', 'verification', {}, stream, { kind: 'verification', state: undefined }],
    [
      'verification whose state is no text',
      'verification',
      { state: 1 },
      stream,
      { kind: 'verification', state: undefined },
    ],
    [
      'verification of another',
      'verification',
      {},
      { format: 'opaque', id: 'x' },
      { kind: 'nothing', fault: 'other_stream' },
    ],
    ['being enabled', 'stream-updated', { status: 'enabled' }, stream, { kind: 'stream_updated', isEnabled: true }],
    [
      'being enabled, as Keycloak says it',
      'stream-updated',
      { status: { status: 'enabled' } },
      stream,
      { kind: 'stream_updated', isEnabled: true },
    ],
    ['being paused', 'stream-updated', { status: 'paused' }, stream, { kind: 'stream_updated', isEnabled: false }],
    [
      'being disabled, as Keycloak says it',
      'stream-updated',
      { status: { status: 'disabled' } },
      stream,
      { kind: 'stream_updated', isEnabled: false },
    ],
    ['being changed somehow', 'stream-updated', null, stream, { kind: 'stream_updated', isEnabled: false }],
  ])('maps %s', (_, type, event, subId, expected) => {
    expect(meaning({ [ssf(type)]: event }, subId)).toEqual(expected);
  });
});
