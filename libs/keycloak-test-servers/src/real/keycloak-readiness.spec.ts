import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { doing, LogTail, waitUntilReady, type Readiness } from './keycloak-readiness.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function healthy(issuer?: string): Promise<Readiness> {
  server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/health/ready' ? { status: 'UP' } : { issuer: issuer ?? base }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    healthUrl: `${base}/health/ready`,
    issuer: base,
    timeoutSeconds: 0,
    ended: () => Promise.resolve(undefined),
    lastLines: () => ['the last line'],
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
}

describe('waitUntilReady', () => {
  it('resolves when the health endpoint and the discovery endpoint answer', async () => {
    await expect(waitUntilReady(await healthy())).resolves.toBeUndefined();
  });

  it('rejects after the time limit if discovery names another issuer', async () => {
    await expect(waitUntilReady(await healthy('http://elsewhere'))).rejects.toThrow(/not ready.*http:\/\/elsewhere/);
  });

  it('rejects with the last log lines if the server has ended', async () => {
    const ended = { ...(await healthy()), ended: () => Promise.resolve('exit code 1') };
    await expect(waitUntilReady(ended)).rejects.toThrow(/exit code 1.*\n {2}the last line/);
  });

  it('rejects with the reason of the aborted signal', async () => {
    const given = { ...(await healthy()), signal: AbortSignal.abort(new Error('enough')) };
    await expect(waitUntilReady(given)).rejects.toThrow('enough');
  });
});

describe('the current step of a starting Keycloak', () => {
  it.each([
    [['Updating the configuration and installing your custom providers, if any. Please wait.'], ''],
    [
      ['2026 INFO  [io.quarkus.deployment.QuarkusAugmentor] (main) Quarkus augmentation completed', ''],
      /building itself/,
    ],
    [['2026 INFO  [org.keycloak.services] (main) KC-SERVICES0050: Importing realm from file'], /importing the realm/],
    [[], ''],
  ])('is read from the last line of %j', (lines, expected) => {
    expect(doing(lines)).toMatch(expected === '' ? /^$/ : expected);
  });
});

describe('LogTail', () => {
  it('keeps the last lines, even if a chunk ends within a line', async () => {
    const tail = new LogTail(2);
    const stream = new PassThrough();
    tail.read(stream);
    for (const chunk of ['one\ntw', 'o\nthr', 'ee\n']) stream.write(chunk);
    await new Promise((resolve) => stream.end(resolve));
    expect(tail.lines()).toEqual(['two', 'three']);
  });
});
