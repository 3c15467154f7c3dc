import { ConfigurationError, ConfigurationFaults } from '../protocol/configuration-faults.js';
import type { ScopesOfCalls } from '../client/declared-scopes.js';
import { isAcrValue } from '../protocol/authentication-demand.js';
import { runsInTests } from '../protocol/production.js';
import { isScopeToken } from '../protocol/scope.js';
import type { RequestAdapter } from '../resource-server/request.adapter.js';

/** The message lists every invalid option, and contains no secret. */
export class KeycloakOptionsError extends ConfigurationError {
  constructor(where: string, faults: readonly string[]) {
    super(`${where} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}`, faults);
  }
}

export interface OptionContext {
  readonly faults: ConfigurationFaults;
  readonly allowInsecureRequests: boolean;
}

/** Returns the checked value, and adds a fault to `context` instead of throwing. */
export type OptionKind<T> = (name: string, given: unknown, context: OptionContext) => T;

/** `Read` has the options whose resolved type differs from the given type. */
export type OptionTable<Options, Read = object> = {
  readonly [Name in keyof Required<Options>]: OptionKind<
    (Name extends keyof Read ? Read[Name] : Options[Name]) | undefined
  >;
};

type ReadOptions<Table> = { readonly [Name in keyof Table]: Table[Name] extends OptionKind<infer T> ? T : never };

/** A misspelt option must not silently get its default. */
export function readOptions<Table extends Readonly<Record<string, OptionKind<unknown>>>>(
  table: Table,
  options: object | undefined,
  context: OptionContext,
  otherNames: readonly string[] = [],
): ReadOptions<Table> {
  const given = Object(options) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(table, name) && !otherNames.includes(name)) context.faults.fault(`unknown option "${name}"`);
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, read]) => [name, read(name, memberOf(given, name), context)]),
  ) as ReadOptions<Table>;
}

/** An option may be a method or an accessor of a class. */
function memberOf(given: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = given[name];
  return typeof value === 'function' && !Object.hasOwn(given, name) ? (value.bind(given) as unknown) : value;
}

/**
 * Keycloak would refuse a secret with the line break that `echo` writes. Ids and secrets have no control characters
 * (RFC 6749, appendix A).
 */
export const nonEmptyString: OptionKind<string> = (name, given, { faults }) => {
  if (given === undefined || given === null) faults.fault(`${name} must be given`);
  else if (typeof given !== 'string') faults.fault(`${name} must be a string`);
  else if (given.trim() === '') faults.fault(`${name} must be given`);
  else if (/\p{Cc}/u.test(given)) faults.fault(`${name} must have no line break or other control character`);
  else return given;
  return '';
};

export const optionalText: OptionKind<string | undefined> = (name, given, context) =>
  given === undefined ? undefined : nonEmptyString(name, given, context);

export const textOrTextsByName: OptionKind<string | Readonly<Record<string, string>>> = (name, given, context) => {
  if (typeof given !== 'object' || given === null) return nonEmptyString(name, given, context);
  const members = Object.entries(given as Readonly<Record<string, unknown>>);
  if (members.length === 0 || Array.isArray(given)) context.faults.fault(`${name} must be given`);
  return Object.fromEntries(members.map(([each, text]) => [each, nonEmptyString(`${name} at ${each}`, text, context)]));
};

export const integer =
  (fallback: number, min: number, max: number): OptionKind<number> =>
  (name, given, { faults }) =>
    given === undefined ? fallback : faults.integer(name, given, min, max);

export const optionalInteger =
  (min: number, max: number): OptionKind<number | undefined> =>
  (name, given, { faults }) =>
    given === undefined ? undefined : faults.integer(name, given, min, max);

export const flag: OptionKind<boolean> = (name, given, { faults }) => {
  if (given !== undefined && typeof given !== 'boolean') faults.fault(`${name} must be true or false`);
  return given === true;
};

/** In tests, the default is false, because a test may count requests or use a fake server. */
export const verificationAtStart: OptionKind<boolean | 'background'> = (name, given, { faults }) => {
  if (given === undefined) return runsInTests() ? false : 'background';
  if (given === 'background') return given;
  if (typeof given !== 'boolean') faults.fault(`${name} must be true, false or 'background'`);
  return given === true;
};

export const oneOf =
  <Word extends string>(words: readonly [Word, ...Word[]]): OptionKind<Word> =>
  (name, given, { faults }) => {
    const found = given === undefined ? words[0] : words.find((word) => word === given);
    if (found === undefined) faults.fault(`${name} must be ${words.map((word) => `"${word}"`).join(' or ')}`);
    return found ?? words[0];
  };

const listOf =
  <Fallback extends readonly string[] | undefined>(
    words: string,
    isMember: (value: unknown) => value is string,
    fallback: Fallback,
  ): OptionKind<readonly string[] | Fallback> =>
  (name, given, { faults }) => {
    if (given === undefined) return fallback;
    // Copies the list, because later changes would not be checked.
    if (Array.isArray(given) && given.every(isMember)) return Object.freeze([...given]);
    faults.fault(`${name} must be a list of ${words}`);
    return fallback;
  };

export const scopes = (fallback: readonly string[]): OptionKind<readonly string[]> =>
  listOf('scope tokens', isScopeToken, fallback);

/** If undefined, all scopes are allowed; an empty list allows no scope. */
export const optionalScopes = listOf('scope tokens', isScopeToken, undefined);

export const optionalAcrValues = listOf('acr values, words of printable ASCII', isAcrValue, undefined);

export interface ScopesByCall extends ScopesOfCalls {
  readonly isByKind: boolean;
}

export const optionalScopesByCall: OptionKind<ScopesByCall | undefined> = (name, given, context) => {
  if (given === undefined) return undefined;
  if (Array.isArray(given)) {
    const all = scopes([])(name, given, context);
    return { asService: all, onBehalfOf: all, isByKind: false };
  }
  if (typeof given !== 'object' || given === null) {
    context.faults.fault(`${name} must be a list of scope tokens, or { asService, onBehalfOf } with two of them`);
    return undefined;
  }
  const { asService, onBehalfOf, ...others } = given as Readonly<Record<string, unknown>>;
  for (const other of Object.keys(others)) context.faults.fault(`${name} has an unknown member "${other}"`);
  const scopesOf = (member: string, list: unknown): readonly string[] => scopes([])(`${name}.${member}`, list, context);
  return {
    asService: scopesOf('asService', asService),
    onBehalfOf: scopesOf('onBehalfOf', onBehalfOf),
    isByKind: true,
  };
};

export const requestAdapters: OptionKind<readonly RequestAdapter[]> = (name, given = [], { faults }) => {
  if (!Array.isArray(given) || !given.every(isRequestAdapter)) {
    faults.fault(`${name} must be a list of request adapters, such as graphqlRequestAdapter()`);
    return [];
  }
  const kinds = given.map(({ kind }) => kind);
  const ofRest = given.filter(({ isOwn }) => isOwn === undefined).map(({ kind }) => kind);
  const twice = ofRest.find((kind, at) => ofRest.indexOf(kind) !== at);
  if (twice !== undefined) faults.fault(`${name} has two adapters without isOwn for the kind "${twice}"`);
  if (kinds.includes('http')) faults.fault(`${name} must not have an adapter for the kind "http", which is built in`);
  return Object.freeze([...given]);
};

const isRequestAdapter = (given: unknown): given is RequestAdapter => {
  const adapter = Object(given) as Readonly<Record<string, unknown>>;
  const methods = ['callOf', 'requestOf', 'toException'];
  if (adapter['isOwn'] !== undefined) methods.push('isOwn');
  return typeof adapter['kind'] === 'string' && methods.every((method) => typeof adapter[method] === 'function');
};

export const optionalFunction =
  <F>(words: string): OptionKind<F | undefined> =>
  (name, given, { faults }) => {
    if (given !== undefined && typeof given !== 'function') faults.fault(`${name} must be a function ${words}`);
    return given as F | undefined;
  };

export const optionalWith =
  <T>(methods: readonly string[], words: string): OptionKind<T | undefined> =>
  (name, given, { faults }) => {
    const members = Object(given) as Readonly<Record<string, unknown>>;
    if (given === undefined || methods.every((method) => typeof members[method] === 'function')) {
      return given as T | undefined;
    }
    faults.fault(`${name} must be ${words}`);
    return undefined;
  };

export const url: OptionKind<string> = (name, given, context) => {
  const text = nonEmptyString(name, given, context);
  if (text === '') return '';
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (
    parsed === undefined ||
    !/^https?:\/\/[^/\\]/i.test(text) ||
    /[?#]/.test(text) ||
    parsed.username !== '' ||
    parsed.password !== ''
  ) {
    context.faults.fault(`${name} must be an http(s) URL without credentials, query and fragment`);
  } else if (parsed.protocol === 'http:' && !context.allowInsecureRequests) {
    context.faults.fault(`${name} must be https: (or allowInsecureRequests must be true, for development)`);
  }
  return text.replace(/\/$/, '');
};

export const optionalUrl: OptionKind<string | undefined> = (name, given, context) =>
  given === undefined ? undefined : url(name, given, context);
