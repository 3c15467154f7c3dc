import { composeKeycloak } from '../../module/compose-keycloak.js';
import type { KeycloakModuleOptions } from '../../options/keycloak.options.js';
import type { ProfileName } from '../../protocol/token-profile.js';
import type { ApplicationSubject } from '../application/application-subject.js';
import { givenSecret, type Environment } from '../given-secrets.js';
import { UsageError } from '../usage-error.js';

export interface DoctorFlags {
  readonly module?: string | undefined;
  readonly issuer?: string | undefined;
  readonly 'base-url'?: string | undefined;
  readonly profile?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly 'client-secret-file'?: string | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly 'services-ca-file'?: string | undefined;
  readonly 'allow-insecure-requests'?: boolean | undefined;
  readonly calls?: readonly string[] | undefined;
  readonly accepts?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly 'admin-token-file'?: string | undefined;
}

export function subjectOfFlags(flags: DoctorFlags, environment: Environment): ApplicationSubject {
  const keycloak = composeKeycloak(keycloakOptions(flags, environment));
  const tls = { caFile: flags['services-ca-file'] ?? nonEmpty(environment['SERVICES_CA_FILE']) };
  for (const call of flags.calls ?? []) {
    const [, audience = '', baseUrl = '', scopes = ''] = CALL.exec(call) ?? [];
    if (audience === '') throw new UsageError(`--calls must be <audience>=<URL>[,<scope>…], not ${call}`);
    const listed = scopes.split(',').filter((scope) => scope !== '');
    keycloak.service(audience, { baseUrl, audience, tls, ...(listed.length === 0 ? {} : { scopes: listed }) });
  }
  const permissions = (flags.accepts ?? '').split(',').filter((permission) => permission !== '');
  const accepted = { label: '--accepts', isClosed: false, permissions, anyOf: [], clients: [] };
  return { keycloak, handlers: permissions.length === 0 ? [] : [accepted], notSeen: [] };
}

/** Matches a value of `--calls`, such as `service-b=https://b.example,orders.approve,orders.read`. */
const CALL = /^([^=,]+)=([^,]+)((?:,[^,]+)*)$/;

function keycloakOptions(flags: DoctorFlags, environment: Environment): KeycloakModuleOptions {
  const { KEYCLOAK_BASE_URL, KEYCLOAK_REALM, KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID } = environment;
  const baseUrl = (flags['base-url'] ?? nonEmpty(KEYCLOAK_BASE_URL))?.replace(/\/$/, '');
  const ofBase = baseUrl === undefined || !KEYCLOAK_REALM ? '' : `${baseUrl}/realms/${KEYCLOAK_REALM}`;
  return {
    issuer: flags.issuer ?? nonEmpty(KEYCLOAK_ISSUER) ?? ofBase,
    ...(baseUrl === undefined ? {} : { internalServerUrl: baseUrl }),
    ...(flags.profile === undefined ? {} : { profile: flags.profile as ProfileName }),
    clientId: flags['client-id'] ?? KEYCLOAK_CLIENT_ID ?? '',
    clientSecret: givenSecret(environment, 'KEYCLOAK_CLIENT_SECRET', flags['client-secret-file']) ?? '',
    tls: { caFile: flags['ca-file'] ?? nonEmpty(environment['KEYCLOAK_CA_FILE']) },
    allowInsecureRequests:
      flags['allow-insecure-requests'] === true || environment['KEYCLOAK_ALLOW_INSECURE_REQUESTS'] === 'true',
  };
}

const nonEmpty = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : text;
