import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';

type Headers = Readonly<Record<string, string>>;

const unzipped = promisify<Buffer, ZlibOptions, Buffer>(gunzip);

const NOT_PACKED: ReadonlySet<string> = new Set(['', 'identity']);

/** `x-gzip` is an alias of `gzip` (RFC 9110 §8.4.1.3). */
const GZIP: ReadonlySet<string> = new Set(['gzip', 'x-gzip']);

export const isPacked = (headers: Headers): boolean => !NOT_PACKED.has(codingOf(headers));

export const isGzip = (headers: Headers): boolean => GZIP.has(codingOf(headers));

export const gunzipped = async (body: Buffer, maxBytes: number): Promise<string> =>
  (await unzipped(body, { maxOutputLength: maxBytes })).toString('utf8');

export const isTooLong = (error: unknown): boolean =>
  (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';

/** The names of content codings are case-insensitive (RFC 9110 §8.4.1). */
const codingOf = (headers: Headers): string => headers['content-encoding']?.toLowerCase() ?? '';
