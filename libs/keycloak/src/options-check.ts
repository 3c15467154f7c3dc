/** OptionsCheck: collects what is wrong with options, so that one message can list it all. */

import { isScopeToken } from './protocol/scope.js';

/** Thrown at boot. The message lists every fault, and no secret. */
export class KeycloakOptionsError extends Error {
  constructor(
    where: string,
    readonly faults: readonly string[],
  ) {
    super(
      `${where} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'KeycloakOptionsError';
  }
}

/** Collects faults instead of stopping at the first. Values come from configuration, so types are not believed. */
export class OptionsCheck {
  readonly #faults: string[] = [];

  constructor(private readonly where: string) {}

  fault(text: string): void {
    this.#faults.push(text);
  }

  done(): void {
    if (this.#faults.length > 0) throw new KeycloakOptionsError(this.where, this.#faults);
  }

  /** The options themselves; none at all become an empty set, whose faults are then listed one by one. */
  known<T extends object>(options: T | undefined, names: Readonly<Record<string, true>>): Partial<T> {
    const given = options ?? {};
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(names, name)) this.fault(`${name} is no option`);
    }
    return given;
  }

  text(name: string, value: unknown): string {
    if (typeof value === 'string' && value.trim() !== '') return value;
    this.fault(`${name} must be given`);
    return '';
  }

  boolean(name: string, value: unknown): boolean {
    if (value !== undefined && typeof value !== 'boolean') this.fault(`${name} must be true or false`);
    return value === true;
  }

  scopes(name: string, value: unknown, fallback: readonly string[]): readonly string[] {
    if (value === undefined) return fallback;
    if (Array.isArray(value) && value.every(isScopeToken)) return value;
    this.fault(`${name} must be a list of scope tokens`);
    return fallback;
  }

  whole(name: string, value: unknown, fallback: number, min: number, max: number): number {
    if (value === undefined) return fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    this.fault(`${name} must be a whole number from ${min} to ${max}`);
    return fallback;
  }

  /** An absolute http(s) URL without credentials, query or fragment; without its final slash. */
  url(name: string, value: unknown, allowInsecureRequests: boolean): string {
    const text = this.text(name, value);
    if (text === '') return '';
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (
      url === undefined ||
      !/^https?:$/.test(url.protocol) ||
      /[?#]/.test(text) ||
      url.username !== '' ||
      url.password !== ''
    ) {
      this.fault(`${name} must be an http(s) URL without credentials, query and fragment`);
    } else if (url.protocol === 'http:' && !allowInsecureRequests) {
      this.fault(`${name} must be https: (or allowInsecureRequests must be true, for development)`);
    }
    return text.replace(/\/$/, '');
  }

  issuer(value: unknown, base: unknown, insecure: boolean): { readonly issuer: string; readonly realmUrl: string } {
    const issuer = this.url('issuer', value, insecure);
    const realm = /^(.*)(\/realms\/[^/]+)$/.exec(issuer);
    if (issuer !== '' && (realm === null || issuer !== value)) {
      this.fault('issuer must end in /realms/<realm>, without a final slash, as the "iss" of its tokens does');
    }
    if (realm !== null && URL.canParse(issuer) && new URL(issuer).href !== issuer) {
      this.fault(`issuer must be written as URLs are: ${new URL(issuer).href}`);
    }
    const baseUrl = base === undefined ? (realm?.[1] ?? '') : this.url('baseUrl', base, insecure);
    if (baseUrl.includes('/realms/')) this.fault('baseUrl must end before /realms/');
    return { issuer, realmUrl: `${baseUrl}${realm?.[2] ?? ''}` };
  }
}
