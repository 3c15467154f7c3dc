/** KeycloakException as HttpException: has Nest, and the filters of an application, see every refusal as an `HttpException`. */
import { HttpException } from '@nestjs/common';
import { KeycloakException } from '../protocol/keycloak-exception.js';

/**
 * Puts `HttpException` among the prototypes of a refusal. A filter for everything then answers with its status, and not 500: `getStatus()` and
 * `getResponse()` have what is said on the wire, without the reason. The words of the protocol know nothing of Nest, and a refusal that was
 * made before this is one as well.
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
