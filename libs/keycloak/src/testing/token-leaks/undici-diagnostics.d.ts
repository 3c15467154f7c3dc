/** An internal file of undici, which has no types of its own. */
declare module 'undici/lib/core/diagnostics.js' {
  import type { Channel } from 'node:diagnostics_channel';

  type Channels = Readonly<Record<'create' | 'bodyChunkReceived' | 'trailers', Channel>>;
  export const channels: Channels | undefined;
  const diagnostics: { readonly channels?: Channels } | undefined;
  export default diagnostics;
}
