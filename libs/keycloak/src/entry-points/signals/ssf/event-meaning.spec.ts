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
    ['of a session and its user', complex({ user: user(), session: session() }), ofSession],
    ['of a session that names no user', complex({ session: session() }), ofSession],
    [
      'of all sessions of a user in the format of Keycloak',
      complex({ user: user(), session: session('ALL') }),
      ofAlice,
    ],
    ['of a complex subject that names only a user', complex({ user: user() }), ofAlice],
    ['of a simple subject that names a user', user(), ofAlice],
    [
      'of all sessions of an unnamed user',
      complex({ session: session('ALL') }),
      doubt('everything', 'subject_unknown'),
    ],
    [
      'of a session with an id in a different format',
      complex({ user: user(), session: session('x', 'uri') }),
      doubt({ sub: 'alice' }, 'session_unknown'),
    ],
    [
      'of a session with an empty id',
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
      'of a simple subject of another issuer',
      user('alice', 'https://evil.example.com'),
      doubt('everything', 'subject_of_other_issuer'),
    ],
    ['of an email address', email, doubt('everything', 'subject_unknown')],
    ['of an opaque id', { format: 'opaque', id: 'alice' }, doubt('everything', 'subject_unknown')],
    ['of a user with an empty id', user(''), doubt('everything', 'subject_unknown')],
    ['of a user with a too long id', user('x'.repeat(1025)), doubt('everything', 'subject_unknown')],
    ['of a list of subjects', [user()], doubt('everything', 'subject_unknown')],
    ['that has no subject', undefined, doubt('everything', 'subject_unknown')],
  ])('maps a session-revoked event %s', (_, subId, expected) => {
    expect(revoked(subId)).toEqual(expected);
  });

  it.each<[string, object, readonly string[], object]>([
    [
      'a critical user that is an email address',
      { user: email, session: session() },
      ['user'],
      doubt('everything', 'critical_member_unknown'),
    ],
    ['a session and an uncritical user that is an email address', { user: email, session: session() }, [], ofSession],
    ['only an uncritical user that is an email address', { user: email }, [], doubt('everything', 'subject_unknown')],
    [
      'an unknown critical member',
      { user: user(), tenant: { format: 'opaque', id: 't' } },
      ['tenant'],
      doubt('everything', 'critical_member_unknown'),
    ],
    ['an unknown uncritical member', { user: user(), tenant: { format: 'opaque', id: 't' } }, ['user'], ofAlice],
    ['a missing critical member', { user: user() }, ['tenant', 'user'], ofAlice],
  ])('maps an event whose subject has %s', (_, members, critical, expected) => {
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
    ['revoked sessions with the older event name', risc('sessions-revoked'), ofAlice],
    ['a new password', caep('credential-change'), { kind: 'nothing' }],
    ['a session that begins', caep('session-established'), { kind: 'nothing' }],
    ['a session that is presented', caep('session-presented'), { kind: 'nothing' }],
    ['a user who is enabled', risc('account-enabled'), { kind: 'nothing' }],
    ['changed claims', caep('token-claims-change'), doubt({ sub: 'alice' })],
    ['a changed assurance level', caep('assurance-level-change'), doubt({ sub: 'alice' })],
    ['a changed device', caep('device-compliance-change'), doubt({ sub: 'alice' })],
    ['a changed risk', caep('risk-level-change'), doubt({ sub: 'alice' })],
    ['a compromised password', risc('credential-compromise'), doubt({ sub: 'alice' })],
    ['an unknown type', 'https://example.com/event', doubt({ sub: 'alice' }, 'event_unknown')],
    ['a type that is a property of every object', 'constructor', doubt({ sub: 'alice' }, 'event_unknown')],
  ])('maps an event about %s', (_, type, expected) => {
    expect(meaning({ [type]: {} }, user())).toEqual(expected);
  });

  it('rechecks the tokens of the session that an unknown event names', () => {
    expect(meaning({ 'https://example.com/event': {} }, complex({ session: session() }))).toEqual(
      doubt({ sid: 's1' }, 'event_unknown'),
    );
  });

  it.each<[string, unknown]>([
    ['no event', {}],
    ['events that are a text', 'x'],
    ['two events', { [caep('session-revoked')]: {}, [caep('credential-change')]: {} }],
  ])('rechecks the tokens of the user if the event token does not have exactly one event: %s', (_, events) => {
    expect(meaning(events, user())).toEqual(doubt({ sub: 'alice' }, 'not_one_event'));
  });
});

describe('meaningOf() for a stream event', () => {
  const stream = { format: 'opaque', id: 'f81d' };

  it.each<[string, string, unknown, unknown, object]>([
    ['a verification', 'verification', { state: 'n' }, stream, { kind: 'verification', state: 'n' }],
    ['a verification that has no state', 'verification', {}, stream, { kind: 'verification', state: undefined }],
    [
      'a verification whose state is not a text',
      'verification',
      { state: 1 },
      stream,
      { kind: 'verification', state: undefined },
    ],
    [
      'a verification of another stream',
      'verification',
      {},
      { format: 'opaque', id: 'x' },
      { kind: 'nothing', fault: 'other_stream' },
    ],
    ['an enabled stream', 'stream-updated', { status: 'enabled' }, stream, { kind: 'stream_updated', isEnabled: true }],
    [
      'an enabled stream in the format of Keycloak',
      'stream-updated',
      { status: { status: 'enabled' } },
      stream,
      { kind: 'stream_updated', isEnabled: true },
    ],
    ['a paused stream', 'stream-updated', { status: 'paused' }, stream, { kind: 'stream_updated', isEnabled: false }],
    [
      'a disabled stream in the format of Keycloak',
      'stream-updated',
      { status: { status: 'disabled' } },
      stream,
      { kind: 'stream_updated', isEnabled: false },
    ],
    [
      'a changed stream that has no status',
      'stream-updated',
      null,
      stream,
      { kind: 'stream_updated', isEnabled: false },
    ],
  ])('maps %s', (_, type, event, subId, expected) => {
    expect(meaning({ [ssf(type)]: event }, subId)).toEqual(expected);
  });
});
