import { channel, type Channel } from 'node:diagnostics_channel';
// `createRequire(import.meta.url)` would fail in test runners that compile to CommonJS.
import * as diagnostics from 'undici/lib/core/diagnostics.js';

type Event = 'create' | 'bodyChunkReceived' | 'trailers';

/** Undici's own channel and the named channel may differ in Node 20 after garbage collection. */
export function undiciChannels(event: Event): readonly Channel[] {
  const own = channelsOfUndici()[event];
  const named = channel(`undici:request:${event}`);
  return own === undefined || own === named ? [named] : [own, named];
}

// The channels of undici 7, from an internal file. An ES module gets the exports as `default`; CommonJS without
// `esModuleInterop` gets the exports directly.
const channelsOfUndici = (): Partial<Readonly<Record<Event, Channel>>> =>
  (diagnostics.default ?? diagnostics).channels ?? {};
