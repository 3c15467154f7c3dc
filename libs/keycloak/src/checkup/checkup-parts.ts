import type { ClockSkew } from '../authorization-server/clock-skew.js';
import type { Introspection } from '../authorization-server/introspection.js';
import type { ServerMetadata } from '../authorization-server/metadata.js';
import type { OwnTokenProbe } from '../authorization-server/own-token-probe.js';
import type { ClientCredential } from '../client-authentication/client-authentication.js';
import type { OptionsOfIssuer } from '../options/keycloak.options.js';
import type { ResolvedServiceOptions } from '../options/service.options.js';
import type { Answering } from './who-answers.js';
import type { Unreached } from './why-unreached.js';

export type RegisteredService = Pick<ResolvedServiceOptions, 'baseUrl' | 'scopes'> & {
  readonly name: string;
  readonly audience: string;
  readonly whyUnreached: () => Promise<Unreached | undefined>;
  readonly whoAnswers: () => Promise<Answering | undefined>;
  readonly proxy: string | undefined;
};

export interface CheckupParts {
  readonly options: OptionsOfIssuer;
  readonly metadata: Pick<ServerMetadata, 'get' | 'refresh'>;
  readonly introspection: Pick<Introspection, 'introspect'>;
  readonly probe: OwnTokenProbe;
  readonly clockSkew: Pick<ClockSkew, 'measured'>;
  readonly services: () => readonly RegisteredService[];
  /** Returns the sentence on one line, without secrets, tokens and unprintable characters. */
  readonly cleanse: (sentence: string) => string;
  readonly credential: () => Promise<ClientCredential | undefined>;
  readonly isProduction: boolean;
  readonly proxy: string | undefined;
}
