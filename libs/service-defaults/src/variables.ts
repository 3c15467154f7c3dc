import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIn, isPort, isURL } from 'class-validator';
import { ConfigurationError, ConfigurationFaults } from 'nestjs-keycloak-s2s';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The message lists every fault, and contains no secret. */
export class SettingsError extends ConfigurationError {
  constructor(service: string, faults: readonly string[]) {
    super(`${service} can't start with these settings`, faults);
  }
}

export interface NamedNumber {
  readonly name: string;
  readonly value: number;
}

/** An empty variable counts as not set. */
export class Variables extends ConfigurationFaults {
  constructor(private readonly environment: Environment) {
    super();
  }

  text(name: string, fallback?: string): string {
    const value = this.#read(name) ?? fallback;
    if (value === undefined) this.fault(`${name} is not set`);
    return value ?? '';
  }

  flag(name: string, fallback = false): boolean {
    const value = this.text(name, String(fallback));
    if (!isIn(value, ['true', 'false'])) this.fault(`${name} must be true or false`);
    return value === 'true';
  }

  oneOf<const Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const value = this.text(name, words[0]);
    const found = words.find((word) => word === value);
    if (found === undefined) this.fault(`${name} must be one of ${words.join(', ')}`);
    return found ?? words[0];
  }

  port(name: string, fallback: number): number {
    const value = this.text(name, String(fallback));
    if (!isPort(value)) this.fault(`${name} must be a port number from 0 to 65535`);
    return Number(value);
  }

  url(name: string, insecureAllowed: boolean): string {
    const value = this.optionalUrl(name, insecureAllowed);
    if (value === undefined) this.fault(`${name} is not set`);
    return value ?? '';
  }

  wholeNumber(name: string, fallback: number, max: number, min = 0): number {
    const value = this.text(name, String(fallback));
    return this.integer(name, /^\d{1,9}$/.test(value) ? Number(value) : value, min, max);
  }

  wholeNumberWithin(bound: NamedNumber, name: string, fallback: number, max: number): number {
    const value = this.wholeNumber(name, Math.min(fallback, bound.value), max, 1);
    if (value > bound.value) this.fault(`${name} must be at most ${bound.name}, which is ${bound.value}`);
    return value;
  }

  optionalUrl(name: string, insecureAllowed: boolean): string | undefined {
    const value = this.#read(name);
    return value === undefined ? undefined : this.checkedUrl(name, value, insecureAllowed);
  }

  /** The fault of an invalid URL names the variable, because the library does not know the variable. */
  checkedUrl(name: string, value: string, insecureAllowed: boolean): string {
    if (!isHttpUrl(value)) {
      this.fault(`${name} must be an http(s) URL`);
    } else if (hasMoreThanAPath(value)) {
      this.fault(`${name} must be an http(s) URL without user name, password, query and fragment`);
    } else if (hasDotSegment(value)) {
      this.fault(`${name} must have no dot segment ("." or "..") in its path`);
    } else if (!insecureAllowed && /^http:/i.test(value)) {
      this.fault(`${name} must be https: in production (or set KEYCLOAK_ALLOW_INSECURE_REQUESTS=true and know why)`);
    }
    return value.replace(/\/$/, '');
  }

  /** Accepts any http(s) URL, since the SDK of OpenTelemetry reads the value. */
  isUrlSet(name: string): boolean {
    const value = this.#read(name);
    if (value !== undefined && !isHttpUrl(value)) this.fault(`${name} must be an http(s) URL`);
    return value !== undefined;
  }

  secret(name: string, fallback?: string): string {
    const value = this.#read(name);
    const file = this.#read(`${name}_FILE`);
    if (value === undefined && file === undefined && fallback !== undefined) return fallback;
    if ((value === undefined) === (file === undefined)) {
      this.fault(`${name} or ${name}_FILE must be set${value === undefined ? '' : ', not both'}`);
    }
    return file === undefined ? (value ?? '') : this.secretIn(`${name}_FILE`, file);
  }

  secretIn(name: string, file: string): string {
    const content = this.#content(name, file)?.trim();
    if (content === '') this.fault(`${name} points to an empty file`);
    return content ?? '';
  }

  json(name: string): { readonly value: unknown } | undefined {
    const file = this.#read(name);
    const text = file === undefined ? undefined : this.#content(name, file);
    if (text === undefined) return undefined;
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      // The message of the error is not used, since the message quotes the file.
      this.fault(`${name} points to a file that is not JSON`);
      return undefined;
    }
  }

  certificates(name: string): { readonly file: string; readonly text: string } | undefined {
    const file = this.#read(name);
    return file === undefined ? undefined : this.certificatesIn(name, file);
  }

  certificatesIn(name: string, file: string): { readonly file: string; readonly text: string } | undefined {
    const text = this.#content(name, file);
    if (text === undefined) return undefined;
    if (isCertificate(text)) return { file, text };
    this.fault(`${name} points to a file that contains no certificate in PEM`);
    return undefined;
  }

  #content(name: string, file: string): string | undefined {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      this.fault(`${name} points to a file that can't be read${codeOf(error)}`);
      return undefined;
    }
  }

  #read(name: string): string | undefined {
    const value = this.environment[name]?.trim();
    return value === '' ? undefined : value;
  }
}

const HTTP_URL = { protocols: ['http', 'https'], require_protocol: true, require_tld: false, allow_underscores: true };

const isHttpUrl = (value: string): boolean => isURL(value, HTTP_URL) && URL.canParse(value);

function hasMoreThanAPath(value: string): boolean {
  const { username, password } = new URL(value);
  return username !== '' || password !== '' || /[?#]/.test(value);
}

const hasDotSegment = (value: string): boolean => /\/(?:\.|%2e){1,2}(?:\/|$)/i.test(value);

/** Checks only the first certificate in the text. */
function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text) instanceof X509Certificate;
  } catch {
    return false;
  }
}

/** Returns only the error code, since the message contains the path, which may be a misplaced secret. */
function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  return code === undefined ? '' : ` (${String(code)})`;
}
