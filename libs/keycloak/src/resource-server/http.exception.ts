/**
 * KeycloakException as HttpException: makes Nest and the filters of an application treat every refusal as an
 * `HttpException`.
 */
import { HttpException } from '@nestjs/common';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * Puts `HttpException` into the prototype chain of `KeycloakException`, since the protocol module does not depend on
 * Nest. A catch-all filter then answers with the status of the refusal, not with 500. `getResponse()` returns the body
 * without the reason.
 */
export function makeRefusalsHttpExceptions(): void {
  if (HttpException.prototype.isPrototypeOf(KeycloakException.prototype)) return;
  Object.setPrototypeOf(KeycloakException.prototype, HttpException.prototype);
  Object.defineProperties(KeycloakException.prototype, {
    getStatus: {
      value(this: KeycloakException): number {
        return this.httpStatus;
      },
    },
    getResponse: {
      value(this: KeycloakException): object {
        return this.toBody(false);
      },
    },
  });
}
