/**
 * `HttpService` with tokens, over `@nestjs/axios`.
 *
 * @packageDocumentation
 * @category Supported
 */
export { getServiceHttpToken, InjectServiceHttp } from './inject-service-http.decorator.js';
export { ServiceHttp } from './service-http.service.js';
export { ServiceHttpModule } from './service-http.module.js';

export type { ServiceHttpAsyncRegistration, ServiceHttpRegistration } from './service-http.module.js';
export type { ServiceHttpDefaults, ServiceHttpOptions } from './service-http.service.js';
export type { ServiceHttpError } from './call-error.js';
