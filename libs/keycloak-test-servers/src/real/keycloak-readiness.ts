import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { timeLimit } from '../time-limit.js';

export interface Readiness {
  readonly healthUrl: string;
  readonly issuer: string;
  readonly timeoutSeconds: number;
  readonly ended: () => Promise<string | undefined>;
  readonly lastLines: () => readonly string[];
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

const POLL_MS = 250;
const PROGRESS_EVERY_SECONDS = 15;

export async function waitUntilReady(server: Readiness): Promise<void> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  let nextProgress = PROGRESS_EVERY_SECONDS;
  for (;;) {
    server.signal.throwIfAborted();
    const ended = await server.ended();
    if (ended !== undefined) throw startError(`Keycloak ended before it was ready (${ended})`, server);
    const missing = await notReadyReason(server);
    if (missing === undefined) return;
    if (seconds() >= server.timeoutSeconds) {
      throw startError(`Keycloak was not ready after ${server.timeoutSeconds} s (${missing})`, server);
    }
    if (seconds() >= nextProgress) {
      server.onProgress(`Keycloak is starting (${seconds()} s${doing(server.lastLines())})`);
      nextProgress += PROGRESS_EVERY_SECONDS;
    }
    await sleep(POLL_MS, undefined, { signal: server.signal });
  }
}

export class LogTail {
  readonly #lines: string[] = [];

  constructor(private readonly limit = 30) {}

  read(stream: Readable): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split(/\r?\n/);
      rest = lines.pop() ?? '';
      this.#lines.push(...lines.filter((line) => line !== ''));
      this.#lines.splice(0, this.#lines.length - this.limit);
    });
  }

  readonly lines = (): readonly string[] => this.#lines;
}

export function doing(lines: readonly string[]): string {
  const said = lines.findLast((line) => line.trim() !== '') ?? '';
  if (/build|augment/i.test(said)) return ', building itself for these options, once';
  if (/import/i.test(said)) return ', importing the realm';
  return '';
}

async function notReadyReason({ healthUrl, issuer, signal }: Readiness): Promise<string | undefined> {
  const health = await answerOf(healthUrl, signal);
  if (health.status !== 200) return `${healthUrl}: ${health.status}`;
  const discoveryUrl = `${issuer}/.well-known/openid-configuration`;
  const discovery = await answerOf(discoveryUrl, signal);
  if (discovery.status !== 200) return `${discoveryUrl}: ${discovery.status}`;
  return discovery.issuer === issuer ? undefined : `${discoveryUrl} names the issuer ${String(discovery.issuer)}`;
}

async function answerOf(url: string, signal: AbortSignal): Promise<{ status: number | string; issuer?: unknown }> {
  try {
    const response = await fetch(url, { signal: timeLimit(5000, signal) });
    const body: unknown = await response.json();
    const issuer = typeof body === 'object' && body !== null && 'issuer' in body ? body.issuer : undefined;
    return { status: response.status, issuer };
  } catch {
    return { status: 'no answer' };
  }
}

function startError(message: string, server: Readiness): Error {
  const lines = server.lastLines();
  return new Error(
    lines.length === 0
      ? `${message}; it wrote no log`
      : `${message}. Its last log lines:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
}
