/** @InjectServiceHttp(name): the ServiceHttp that ServiceHttpModule registered by that name. */
import { Inject } from '@nestjs/common';

/** The injection token of a service's `ServiceHttp`, for `Test.createTestingModule(…).overrideProvider(…)`. */
export const getServiceHttpToken = (name: string): string => `nestjs-keycloak-s2s:service-http:${name}`;

export const InjectServiceHttp = (name: string): ParameterDecorator & PropertyDecorator =>
  Inject(getServiceHttpToken(name));
