import { SignalSourceError } from '../signal-source.js';
import { texts, unexpected, type JsonObject } from './transmitter-answers.js';

export interface TransmitterConfiguration {
  readonly keysUrl: string;
  readonly streamsUrl: string;
  readonly statusUrl: string;
  readonly verificationUrl: string;
  readonly defaultSubjects: unknown;
  readonly criticalMembers: readonly string[];
}

export interface TransmitterAddress {
  readonly issuer: string;
  readonly realmUrl: string;
}

/** The method of delivery by polling (RFC 8936). */
export const POLL_DELIVERY = 'urn:ietf:rfc:8936';

export function readConfiguration(found: unknown, address: TransmitterAddress): TransmitterConfiguration {
  const members = Object(found) as JsonObject;
  if (!/^1_0(?:$|-)/.test(String(members['spec_version']))) {
    throw unexpected(
      'The configuration of the transmitter does not follow Shared Signals 1.0. Check the version of the server.',
    );
  }
  // The service refuses event tokens from an issuer that is not configured (SSF 1.0 §7.2.3).
  if (members['issuer'] !== address.issuer) {
    throw unexpected(
      'The transmitter names another issuer than the configured one. With Keycloak, set a fixed host name (--hostname).',
    );
  }
  const methods = members['delivery_methods_supported'];
  if (methods !== undefined && !texts(methods).includes(POLL_DELIVERY)) {
    throw new SignalSourceError(
      'ssf_not_offered',
      `The transmitter does not support delivery by polling (${POLL_DELIVERY}).`,
    );
  }
  const urlOf = (name: string): string => endpoint(name, members[name], address);
  return {
    keysUrl: urlOf('jwks_uri'),
    streamsUrl: urlOf('configuration_endpoint'),
    statusUrl: urlOf('status_endpoint'),
    verificationUrl: urlOf('verification_endpoint'),
    defaultSubjects: members['default_subjects'],
    criticalMembers: texts(members['critical_subject_members']),
  };
}

/** Refuses a URL on another origin, because the service sends its token to the URL or trusts the response. */
export function endpoint(name: string, url: unknown, { issuer, realmUrl }: TransmitterAddress): string {
  if (typeof url !== 'string' || !URL.canParse(url)) {
    throw unexpected(`The transmitter does not report ${name}, which this service needs.`);
  }
  const { origin } = new URL(url);
  if (origin === new URL(issuer).origin || origin === new URL(realmUrl).origin) return url;
  throw unexpected(
    `The ${name} of the transmitter has another origin than its issuer, so this service sends no token there.`,
  );
}
