import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { composeKeycloak, type ComposedKeycloak } from '../src/module/compose-keycloak.js';
import type { ComponentLog } from '../src/resilience/component-log.js';
import { jwtVerification, type JwtVerificationOptions } from '../src/entry-points/jwt/index.js';
import type { KeycloakModuleOptions } from '../src/options/keycloak.options.js';
import { BearerError } from '../src/protocol/bearer-error.js';
import { KeycloakException } from '../src/protocol/keycloak-exception.js';
import type { Json } from './signers.js';
import { optionsOf } from './test-realm.js';

class MovedClock {
  #aheadSeconds = 0;

  readonly epochSeconds = (): number => Date.now() / 1000 + this.#aheadSeconds;
  readonly monotonicMs = (): number => performance.now() + this.#aheadSeconds * 1000;

  advance(seconds: number): void {
    this.#aheadSeconds += seconds;
  }
}

export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface JwtService extends ComposedKeycloak {
  readonly clock: MovedClock;
  readonly lines: readonly LogLine[];
  reasonOf(token: string): Promise<string>;
  claims(bend?: Json): Json;
}

export function jwtService(
  realm: RunningAuthorizationServer,
  jwt: JwtVerificationOptions = {},
  options: Partial<KeycloakModuleOptions> = {},
): JwtService {
  const clock = new MovedClock();
  const lines: LogLine[] = [];
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: object): void =>
      void lines.push({ level, message, fields: { ...fields } });
  const log: ComponentLog = { log: at('log'), warn: at('warn'), error: at('error') };
  const given = { ...optionsOf(realm), verification: 'jwt', jwt: jwtVerification(jwt), ...options } as const;
  const keycloak = composeKeycloak(given, { clock, loggers: () => log });
  return {
    ...keycloak,
    clock,
    lines,
    async reasonOf(token) {
      try {
        await keycloak.verifier.verify(token);
        return 'accepted';
      } catch (error) {
        if (!(error instanceof KeycloakException)) throw error;
        if (error instanceof BearerError && error.code !== 'invalid_token') throw error;
        return error.reason;
      }
    },
    claims: (bend = {}) => ({
      iss: realm.issuer,
      sub: 'alice-id',
      aud: given.clientId,
      azp: 'service-a',
      typ: 'Bearer',
      scope: 'orders.read',
      iat: Math.floor(clock.epochSeconds()),
      exp: Math.floor(clock.epochSeconds()) + 300,
      ...bend,
    }),
  };
}

export function publish(realm: RunningAuthorizationServer, keys: readonly unknown[]): void {
  realm.control.fault('jwks', { kind: 'answer', body: { keys } });
}
