import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DEFAULT_KEYCLOAK_VERSION } from '../src/running-server.js';

type Answers = Readonly<Record<string, unknown>>;

/** A run with `RECORD_DIFFERENCES=true` rewrites this file. */
const fileOf = (version: string): URL => new URL(`answers-${minor(version)}.json`, import.meta.url);

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/** The placeholder for the issuer in recorded answers, since the issuer's port changes. */
const THE_ISSUER = '<the issuer>';

export class OlderVersion {
  readonly #known: Answers;
  readonly #seen: Record<string, unknown> = {};
  readonly #isRecorded: boolean;

  constructor(private readonly version: string) {
    const isOlder = minor(version) !== minor(DEFAULT_KEYCLOAK_VERSION);
    this.#isRecorded = isOlder && process.env['RECORD_DIFFERENCES'] === 'true';
    const isKnown = isOlder && !this.#isRecorded && existsSync(fileOf(version));
    this.#known = isKnown ? (JSON.parse(readFileSync(fileOf(version), 'utf8')) as Answers) : {};
  }

  expected(name: string, answer: unknown, issuer: string): unknown {
    if (!Object.hasOwn(this.#known, name)) return answer;
    return JSON.parse(JSON.stringify(this.#known[name]).replaceAll(THE_ISSUER, issuer));
  }

  record(name: string, answer: unknown, issuer: string): void {
    if (this.#isRecorded) this.#seen[name] = JSON.parse(JSON.stringify(answer).replaceAll(issuer, THE_ISSUER));
  }

  save(): void {
    if (this.#isRecorded) writeFileSync(fileOf(this.version), `${JSON.stringify(this.#seen, undefined, 2)}\n`);
  }
}
