import { Inject } from '@nestjs/common';

/** Returns the injection token of a `ServiceHttp`, for `Test.createTestingModule(…).overrideProvider(…)`. */
export const getServiceHttpToken = (name: string): string => `nestjs-keycloak-s2s:service-http:${name}`;

/** Injects the `ServiceHttp` that `ServiceHttpModule` registered under that name. */
export const InjectServiceHttp = (name: string): ParameterDecorator & PropertyDecorator =>
  Inject(getServiceHttpToken(name));
