/** KeycloakStatus: how the calls and caches of this instance stand now, for health details and metrics. */
import type { CallsState } from './resilience/call-gate.js';
import type { RevocationChannelStatus } from './revocation/revocation-sharing.js';
import { VERSION } from './version.js';

export interface KeycloakStatusSnapshot {
  /** Of this library. */
  readonly version: string;
  /** Calls to Keycloak, by kind: `discovery`, `introspection`, `introspection_renewal`, `token`, `jwks`, `checkup`, `login` and so on. */
  readonly authorizationServer: Readonly<Record<string, CallsState>>;
  /** Calls to other services, by the name of their registration; those of `ServiceHttp` end in ` (http)`. */
  readonly services: Readonly<Record<string, CallsState>>;
  readonly caches: {
    /** Answers about active tokens. */
    readonly introspections: number;
    readonly inactiveIntrospections: number;
    /** Tokens whose signature was verified here; 0 without the option `jwt`. */
    readonly verifiedJwts: number;
    /** Tokens of this service, exchanged ones included. */
    readonly tokens: number;
    /** Denials of the `RevocationList`. */
    readonly revocations: number;
  };
  readonly revocationChannel: RevocationChannelStatus;
}

/** Injectable everywhere. It counts and names; it holds no token, and sends nothing. */
export class KeycloakStatus {
  constructor(private readonly parts: () => Omit<KeycloakStatusSnapshot, 'version'>) {}

  read(): KeycloakStatusSnapshot {
    return { version: VERSION, ...this.parts() };
  }
}
