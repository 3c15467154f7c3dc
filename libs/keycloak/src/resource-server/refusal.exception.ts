/** Refusal exception: has Nest, and the filters of an application, see every refusal as an `HttpException`. */
import { HttpException } from '@nestjs/common';
import { Refusal } from '../protocol/refusal.js';

/**
 * Puts `HttpException` among the prototypes of a refusal. A filter for everything then answers with its status, and not 500: `getStatus()` and
 * `getResponse()` have what is said on the wire, without the reason. The words of the protocol know nothing of Nest, and a refusal that was
 * made before this is one as well.
 */
export function makeRefusalsHttpExceptions(): void {
  if (HttpException.prototype.isPrototypeOf(Refusal.prototype)) return;
  Object.setPrototypeOf(Refusal.prototype, HttpException.prototype);
  Object.defineProperties(Refusal.prototype, {
    getStatus: {
      value(this: Refusal): number {
        return this.httpStatus;
      },
    },
    getResponse: {
      value(this: Refusal): object {
        return this.toBody(false);
      },
    },
  });
}
