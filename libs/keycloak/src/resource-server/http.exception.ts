import { HttpException } from '@nestjs/common';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * Makes each refusal an `HttpException`, so that a catch-all filter keeps the status. Changes the prototype at run
 * time, because the protocol module does not depend on Nest.
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
