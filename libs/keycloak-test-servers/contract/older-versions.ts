/** Older versions: what a Keycloak before the one of the contract answers otherwise, as it was seen to. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DEFAULT_KEYCLOAK_VERSION } from '../src/running-server.js';

type Answers = Readonly<Record<string, unknown>>;

/** By version, such as `26.4`; by the name of the case, its answer. `RECORD_DIFFERENCES=true` writes the file anew. */
const fileOf = (version: string): URL => new URL(`answers-${minor(version)}.json`, import.meta.url);

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/** In the file, for that of the server, which has another port each time. */
const THE_ISSUER = '<the issuer>';

export class OlderVersion {
  readonly #known: Answers;
  readonly #seen: Record<string, unknown> = {};
  readonly #isRecorded: boolean;

  /** `version`: of the server under the contract. */
  constructor(private readonly version: string) {
    const isOlder = minor(version) !== minor(DEFAULT_KEYCLOAK_VERSION);
    this.#isRecorded = isOlder && process.env['RECORD_DIFFERENCES'] === 'true';
    const isKnown = isOlder && !this.#isRecorded && existsSync(fileOf(version));
    this.#known = isKnown ? (JSON.parse(readFileSync(fileOf(version), 'utf8')) as Answers) : {};
  }

  /** The answer that this version gives, where it is not the one of the contract. */
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
