/** CheckupParts: what a checkup looks at a service by. */
import type { ClockSkew } from '../authorization-server/clock-skew.js';
import type { Introspection } from '../authorization-server/introspection.js';
import type { ServerMetadata } from '../authorization-server/metadata.js';
import type { OwnTokenProbe } from '../authorization-server/own-token-probe.js';
import type { ClientCredential } from '../client-authentication/client-authentication.js';
import type { OptionsOfIssuer } from '../options/keycloak.options.js';
import type { ResolvedServiceOptions } from '../options/service.options.js';
import type { Answering } from './who-answers.js';
import type { Unreached } from './why-unreached.js';

/** A service that is called with tokens of the issuer that is looked at. */
export type RegisteredService = Pick<ResolvedServiceOptions, 'baseUrl' | 'scopes'> & {
  readonly name: string;
  /** Its client id there. */
  readonly audience: string;
  /** Undefined when something answers there, whatever it says; else why nothing does. */
  readonly whyUnreached: () => Promise<Unreached | undefined>;
  /** Undefined where no service of this library answers there. */
  readonly whoAnswers: () => Promise<Answering | undefined>;
  /** As `CheckupParts` has it. */
  readonly proxy: string | undefined;
};

export interface CheckupParts {
  readonly options: OptionsOfIssuer;
  readonly metadata: Pick<ServerMetadata, 'get' | 'refresh'>;
  readonly introspection: Pick<Introspection, 'introspect'>;
  readonly probe: OwnTokenProbe;
  readonly clockSkew: Pick<ClockSkew, 'measured'>;
  /** The services that were registered until now. */
  readonly services: () => readonly RegisteredService[];
  /** Puts a sentence on one line, without this service's secret, tokens, and what can't be printed. */
  readonly cleanse: (sentence: string) => string;
  /** What this service authenticates itself by; undefined where it can't be read. */
  readonly credential: () => Promise<ClientCredential | undefined>;
  readonly isProduction: boolean;
  /** Host and port of the proxy that leads there; undefined where none does. */
  readonly proxy: string | undefined;
}
