import { Inject } from '@nestjs/common';

/** The injection token of a service's client, for `Test.createTestingModule(…).overrideProvider(…)`. */
export const getServiceClientToken = (name: string): string => `nestjs-keycloak-s2s:service-client:${name}`;

/** Injects the `ServiceClient` that `KeycloakModule.forFeature` registered under this name. */
export const InjectServiceClient = (name: string): ParameterDecorator & PropertyDecorator =>
  Inject(getServiceClientToken(name));
