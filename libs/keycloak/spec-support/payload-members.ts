/** Payloads that imitate framework objects, for property tests (RS-28). */
import type { INestApplicationContext } from '@nestjs/common';
import fc from 'fast-check';
import { KEYCLOAK } from '../src/module/keycloak.module-definition.js';
import type { ComposedKeycloak } from '../src/module/compose-keycloak.js';

export const FRAMEWORK_MEMBERS: readonly string[] = [
  'getPeer',
  'sendMetadata',
  'metadata',
  'headers',
  'rawHeaders',
  'handshake',
  'req',
  'request',
  'reply',
  'raw',
  'socket',
  'stream',
  'extra',
  'connectionParams',
  'on',
  'once',
  'emit',
  'write',
  'cancelled',
  'writableEnded',
  'readyState',
  'close',
  'destroy',
  'disconnect',
  'getArgs',
  'getType',
  'getHeaders',
  'getMessage',
  'getChannelRef',
  'get',
  'getMap',
  'url',
  'upgrade',
  'args',
  'kind',
  'operation',
  'then',
  'subscribe',
  'constructor',
  'prototype',
  '__proto__',
  'toString',
  'toJSON',
];

const member = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...FRAMEWORK_MEMBERS) }, fc.string({ maxLength: 12 }));

const { payload } = fc.letrec<{ value: unknown; payload: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(1, 0, '', 'x', 'Bearer junk', true, false, null),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('payload'),
  ),
  payload: fc.array(fc.tuple(member, tie('value')), { maxLength: 6 }).map(toObject),
}));

/** Creates `__proto__` as an ordinary member, as JSON.parse does. */
function toObject(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

export const anyPayload: fc.Arbitrary<object> = payload;

export const heldConnections = (app: Pick<INestApplicationContext, 'get'>): number =>
  app.get<ComposedKeycloak>(KEYCLOAK, { strict: false }).connections.size;
