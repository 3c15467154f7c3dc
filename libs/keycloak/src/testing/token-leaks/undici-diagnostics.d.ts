/** An internal file of undici, which has no types of its own. */
declare module 'undici/lib/core/diagnostics.js' {
  import type { Channel } from 'node:diagnostics_channel';

  const diagnostics: { readonly channels?: Readonly<Record<'create' | 'bodyChunkReceived' | 'trailers', Channel>> };
  export default diagnostics;
}
