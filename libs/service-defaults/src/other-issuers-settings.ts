import { matches } from 'class-validator';
import type { ClientCredentials, IssuerOptions } from 'nestjs-keycloak-s2s';
import { clientSecretFile } from 'nestjs-keycloak-s2s/client-authentication';
import { made, NO_SECRET, refusePublishedSecret } from './client-settings.js';
import type { Variables } from './variables.js';

export interface OtherIssuer {
  readonly options: IssuerOptions & ClientCredentials;
  /** The client ids of called services at this issuer, by service name. */
  readonly audiences: Readonly<Record<string, string>>;
}

export interface OtherIssuersContext {
  readonly issuer: string;
  readonly clientId: string;
  readonly calls: readonly string[];
  readonly demoMode: boolean;
  readonly insecureAllowed: boolean;
}

/** The library accepts 100 issuers, including the service's own issuer. */
const MAX_ISSUERS = 99;

const MEMBERS = ['issuer', 'baseUrl', 'clientId', 'clientSecretFile', 'caFile', 'acceptedScopes', 'audiences'] as const;

type Member = (typeof MEMBERS)[number];

/** The form of a scope (RFC 6749 §3.3). */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

export function readOtherIssuersSettings(variables: Variables, context: OtherIssuersContext): readonly OtherIssuer[] {
  const file = variables.json('OTHER_ISSUERS_FILE');
  if (file === undefined) return [];
  const { value } = file;
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ISSUERS) {
    variables.fault(`OTHER_ISSUERS_FILE must contain a list of 1 to ${MAX_ISSUERS} issuers`);
    return [];
  }
  const issuers = value.map((entry: unknown, at) => readEntry(variables, `OTHER_ISSUERS_FILE[${at}]`, entry, context));
  const known = [context.issuer, ...issuers.map(({ options }) => options.issuer)];
  known.forEach((issuer, at) => {
    if (issuer === '' || known.indexOf(issuer) === at) return;
    variables.fault(
      `OTHER_ISSUERS_FILE[${at - 1}].issuer must differ from the issuer of the service and of earlier entries`,
    );
  });
  return issuers;
}

function readEntry(
  variables: Variables,
  where: string,
  given: unknown,
  { clientId, calls, demoMode, insecureAllowed }: OtherIssuersContext,
): OtherIssuer {
  const entry: Readonly<Partial<Record<Member, unknown>>> | undefined = membersOf(given);
  if (entry === undefined) {
    variables.fault(`${where} must be an object with issuer, clientSecretFile and so on`);
    return { options: { issuer: '', clientId, ...NO_SECRET, acceptedScopes: [] }, audiences: {} };
  }
  for (const name of Object.keys(entry)) {
    if (!MEMBERS.some((known) => known === name)) variables.fault(`${where} has an unknown member "${name}"`);
  }
  const text = (name: Member): string | undefined => optionalText(variables, `${where}.${name}`, entry[name]);
  const url = (name: Member): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : variables.checkedUrl(`${where}.${name}`, value, insecureAllowed);
  };
  for (const name of ['issuer', 'clientSecretFile'] as const) {
    if (entry[name] === undefined) variables.fault(`${where}.${name} must be given`);
  }
  const issuer = url('issuer') ?? '';
  if (URL.canParse(issuer) && !matches(issuer, /\/realms\/[\w.~-]+$/))
    variables.fault(`${where}.issuer must end in /realms/<realm>`);
  const baseUrl = url('baseUrl');
  const secretFile = text('clientSecretFile');
  const secret = secretFile === undefined ? '' : variables.secretIn(`${where}.clientSecretFile`, secretFile);
  refusePublishedSecret(variables, `${where}.clientSecretFile`, secret, demoMode);
  const clientAuthentication =
    secretFile === undefined || secret === ''
      ? undefined
      : made(variables, `${where}.clientSecretFile`, () => clientSecretFile(secretFile));
  const authorities = text('caFile');
  const tls = authorities === undefined ? undefined : variables.certificatesIn(`${where}.caFile`, authorities);
  return {
    options: {
      issuer,
      ...(baseUrl === undefined ? {} : { internalServerUrl: baseUrl }),
      clientId: text('clientId') ?? clientId,
      ...(clientAuthentication === undefined ? NO_SECRET : { clientAuthentication }),
      ...(tls === undefined ? {} : { tls: { caFile: tls.file } }),
      acceptedScopes: scopesIn(variables, `${where}.acceptedScopes`, entry.acceptedScopes),
    },
    audiences: audiencesIn(variables, `${where}.audiences`, entry.audiences, calls),
  };
}

function optionalText(variables: Variables, name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  variables.fault(`${name} must be a string that is not empty`);
  return undefined;
}

function scopesIn(variables: Variables, name: string, value: unknown): readonly string[] {
  const isScope = (scope: unknown): boolean => typeof scope === 'string' && matches(scope, SCOPE_TOKEN);
  if (Array.isArray(value) && value.every(isScope)) return value as readonly string[];
  variables.fault(`${name} must be a list of scopes`);
  return [];
}

function audiencesIn(
  variables: Variables,
  name: string,
  value: unknown,
  calls: readonly string[],
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const members = membersOf(value);
  if (members === undefined) variables.fault(`${name} must be an object that maps service names to client ids`);
  return Object.fromEntries(
    Object.entries(members ?? {}).map(([service, given]) => {
      if (!calls.includes(service)) variables.fault(`${name} names "${service}", which this service does not call`);
      return [service, optionalText(variables, `${name}.${service}`, given) ?? ''];
    }),
  );
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
