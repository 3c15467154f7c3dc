import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  asPlainText,
  deeplyNested,
  inLatin1,
  withDuplicateKeys,
  withMembers,
  withPrototypes,
} from './altered-answer.js';
import type { Fault, LiteralAnswer } from './fault.js';
import { json, type HttpAnswer } from './http-call.js';

const MEGABYTE = 1024 * 1024;
const PAGE: HttpAnswer = {
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!doctype html><title>Under maintenance</title><h1>We will be back soon</h1>',
};

export function send(
  response: ServerResponse,
  { status, headers, body }: HttpAnswer,
  encoding: 'utf8' | 'latin1' = 'utf8',
): void {
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body, encoding) };
  response.writeHead(status, { ...headers, ...length }).end(body, encoding);
}

export async function sendFaulty(
  response: ServerResponse,
  fault: Fault,
  answer: () => Promise<HttpAnswer>,
): Promise<void> {
  switch (fault.kind) {
    case 'answer':
      send(response, literal(fault));
      return;
    case 'hang':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'status':
      send(response, json(fault.status, { error: 'unknown_error' }, retryAfter(fault.retryAfter)));
      return;
    case 'html':
      send(response, PAGE);
      return;
    case 'empty':
      send(response, { status: 200, headers: { 'content-type': 'application/json' }, body: '' });
      return;
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' });
      await stream(
        response,
        hugeObject(fault.megabytes ?? 50, (text) => Buffer.from(text)),
      );
      return;
    case 'gzip-bomb':
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      await stream(
        response,
        hugeObject(fault.megabytes ?? 1024, (text) => gzipSync(text)),
      );
      return;
    case 'delay':
      await sleepUnlessClosed(response, fault.milliseconds);
      if (!response.destroyed) send(response, await answer());
      return;
    case 'slow-bytes':
      await drip(response, await answer(), fault.everyMs ?? 50);
      return;
    case 'truncated':
      sendHalf(response, await answer());
      return;
    case 'wrong-content-type':
      send(response, asPlainText(await answer()));
      return;
    case 'wrong-charset':
      send(response, inLatin1(await answer(), fault.declared ?? true), 'latin1');
      return;
    case 'deep':
      send(response, deeplyNested(await answer(), fault.levels ?? 100_000));
      return;
    case 'proto':
      send(response, withPrototypes(await answer()));
      return;
    case 'members':
      send(response, withMembers(await answer(), fault.members));
      return;
    case 'duplicate-keys':
      send(response, withDuplicateKeys(await answer()));
  }
}

const literal = ({ status = 200, headers = {}, body }: LiteralAnswer): HttpAnswer => ({
  status,
  headers: {
    'content-type': 'application/json',
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const retryAfter = (value: number | string | undefined): Record<string, string> =>
  value === undefined ? {} : { 'retry-after': String(value) };

/** Encodes the padding once and repeats the result, because a gzip stream may have several members (RFC 1952 §2.2). */
function* hugeObject(megabytes: number, encode: (text: string) => Buffer): Generator<Buffer> {
  const padding = encode(' '.repeat(MEGABYTE));
  yield encode('{"active":true,"padding":"');
  for (let sent = 0; sent < megabytes; sent += 1) yield padding;
  yield encode('"}');
}

async function stream(response: ServerResponse, pieces: Iterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(pieces), response).catch(() => undefined);
}

async function drip(response: ServerResponse, { status, headers, body }: HttpAnswer, everyMs: number): Promise<void> {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length }).flushHeaders();
  for (const byte of bytes) {
    await sleepUnlessClosed(response, everyMs);
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
  }
  response.end();
}

function sendHalf(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.end());
}

async function sleepUnlessClosed(response: ServerResponse, milliseconds: number): Promise<void> {
  const closed = new AbortController();
  const onClose = (): void => closed.abort();
  response.once('close', onClose);
  await sleep(milliseconds, undefined, { signal: closed.signal }).catch(() => undefined);
  response.off('close', onClose);
}
