import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { firstLine, isNoSuchCommand } from './failed-command.js';
import type { KeycloakSettings } from './keycloak-settings.js';
import { timeLimit } from '../time-limit.js';

const KNOWN_SHA256: Readonly<Record<string, string>> = {
  '26.4.7': 'dd9834c023460be856f731423d86228c23b5d002194a2064642bec0cc6573eaa',
  '26.5.6': '490189d9dff05272432d51f71a069462eeca97f2920a694d539a1e6c26a5a347',
  '26.6.4': 'b00d79ca3afd94bf431d2c3afb2a5af695da813017c434de7240790de6490779',
  '26.7.4': 'a286e98b4296d4e75ee88d8527c7cd463b307caa022f088c9f22cffccc741fa1',
  '26.7.5': '30ef87fb7101c43d29688d1ae80c0588ff4a151b3330e9f664bf9692d398658a',
};
const DOWNLOAD_STALLED_MS = 60_000;

type Context = Pick<KeycloakSettings, 'version' | 'fetchTimeoutSeconds' | 'onProgress' | 'signal'>;
type BoundedContext = Omit<Context, 'fetchTimeoutSeconds'>;

export class ChecksumError extends Error {
  override readonly name = 'ChecksumError';
}

export async function fetchArchive(
  folder: string,
  context: Context,
): Promise<{ path: string } | { missing: string[] }> {
  const missing: string[] = [];
  const { version, fetchTimeoutSeconds, onProgress } = context;
  const limit = timeLimit(fetchTimeoutSeconds * 1000, context.signal);
  const bounded = { version, onProgress, signal: limit };
  onProgress(`Downloading Keycloak ${version} (about 180 MB, once, timeout ${fetchTimeoutSeconds} s)`);
  for (const [way, fetchBy] of [
    ['Maven', byMaven],
    ['https', byHttps],
  ] as const) {
    try {
      const path = await fetchBy(folder, bounded);
      await verifyArchive(path, KNOWN_SHA256[version]);
      return { path };
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof ChecksumError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      missing.push(`Keycloak's archive by ${way}: ${limit.aborted ? `timeout after ${fetchTimeoutSeconds} s` : why}`);
    }
  }
  return { missing };
}

export async function verifyArchive(path: string, expected: string | undefined, algorithm = 'sha256'): Promise<void> {
  if (expected === undefined) return;
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual === expected) return;
  await rm(path, { force: true });
  throw new ChecksumError(
    `${path} is not the published archive: its ${algorithm} is ${actual}, not ${expected}. The file was deleted.`,
  );
}

export async function verifyKnownArchive(path: string, version: string): Promise<void> {
  await verifyArchive(path, KNOWN_SHA256[version]);
}

async function byMaven(folder: string, { version, onProgress, signal }: BoundedContext): Promise<string> {
  // The environment is passed explicitly, because Jest replaces `process.env` in a spec.
  const { env } = process;
  try {
    await promisify(execFile)('mvn', ['--version'], { env, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(isNoSuchCommand(error) ? 'mvn is not on PATH' : `mvn does not run (${firstLine(error)})`, {
      cause: error,
    });
  }
  onProgress('Downloading by Maven');
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
  // Maven runs in an empty folder, which has no pom.xml. With -C, a wrong checksum is an error.
  const maven = spawn('mvn', ['-B', '-C', '-ntp', 'dependency:copy', `-Dartifact=${artifact}`, '-DoutputDirectory=.'], {
    cwd: folder,
    env,
    signal,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let firstError = '';
  maven.stdout.setEncoding('utf8').on('data', (text: string) => {
    firstError ||= /\[ERROR\] (.*)/.exec(text)?.[1] ?? '';
  });
  const code = await new Promise((resolve, reject) => maven.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(firstError || `mvn ended with ${String(code)}`);
  return join(folder, `keycloak-quarkus-dist-${version}.zip`);
}

async function byHttps(folder: string, { version, onProgress, signal }: BoundedContext): Promise<string> {
  const url = `https://github.com/keycloak/keycloak/releases/download/${version}/keycloak-${version}.zip`;
  onProgress(`Downloading ${url}`);
  const path = join(folder, `keycloak-${version}.zip`);
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error('the download stalled')), DOWNLOAD_STALLED_MS);
  const limit = AbortSignal.any([signal, stalled.signal]);
  try {
    const response = await get(url, limit);
    const progress = reportEvery5Percent(Number(response.headers.get('content-length')), onProgress, () =>
      timer.refresh(),
    );
    await pipeline(Readable.fromWeb(response.body), progress, createWriteStream(path), { signal: limit });
    if (KNOWN_SHA256[version] === undefined) {
      const published = await (await get(`${url}.sha1`, limit)).text();
      await verifyArchive(path, published.trim().split(/\s+/)[0] ?? '', 'sha1');
    }
    return path;
  } catch (error) {
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

async function get(url: string, signal: AbortSignal): Promise<Response & { body: NonNullable<Response['body']> }> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : String(error)}`, { cause: error });
  }
  const { body } = response;
  if (!response.ok || body === null) throw new Error(`${url} answered ${response.status}`);
  return Object.assign(response, { body });
}

function reportEvery5Percent(total: number, onProgress: (line: string) => void, onData: () => void): Transform {
  let received = 0;
  let next = 5;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onData();
      received += chunk.length;
      const percent = total > 0 ? Math.floor((received / total) * 100) : 0;
      if (percent >= next) {
        onProgress(`Downloading Keycloak: ${percent} % of ${Math.round(total / 1e6)} MB`);
        next = percent - (percent % 5) + 5;
      }
      done(null, chunk);
    },
  });
}
