import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { checkServiceNames, KEYCLOAK, type ComposedKeycloak } from '../ports/streaming-service.js';
import { getServiceHttpToken } from './inject-service-http.decorator.js';
import { ServiceHttp, type ServiceHttpOptions } from './service-http.service.js';

export interface ServiceHttpRegistration extends ServiceHttpOptions {
  /** The name for `@InjectServiceHttp(name)`. */
  readonly name: string;
}

export type ServiceHttpAsyncRegistration = { readonly name: string } & Pick<ModuleMetadata, 'imports'> &
  Pick<FactoryProvider<ServiceHttpOptions | Promise<ServiceHttpOptions>>, 'inject' | 'useFactory'>;

/**
 * Provides one injectable `ServiceHttp` per service; the root module must import `KeycloakModule.forRoot`. Invalid
 * options throw `KeycloakOptionsError` at boot.
 *
 * A service of this module shares no connections, slots or circuit breakers with a service of
 * `KeycloakModule.forFeature`.
 */
@Module({})
export class ServiceHttpModule {
  static register(services: readonly ServiceHttpRegistration[]): DynamicModule {
    return ServiceHttpModule.registerAsync(
      services.map(({ name, ...options }) => ({ name, useFactory: (): ServiceHttpOptions => options })),
    );
  }

  static registerAsync(services: readonly ServiceHttpAsyncRegistration[]): DynamicModule {
    const names = services.map(({ name }) => name);
    checkServiceNames(names, 'ServiceHttpModule');
    return {
      module: ServiceHttpModule,
      imports: services.flatMap(({ imports = [] }) => imports),
      providers: services.flatMap(providersOf),
      exports: names.map(getServiceHttpToken),
    };
  }
}

function providersOf({ name, inject = [], useFactory }: ServiceHttpAsyncRegistration): FactoryProvider[] {
  const options = Symbol(`nestjs-keycloak-s2s:service-http-options:${name}`);
  return [
    { provide: options, inject, useFactory },
    {
      provide: getServiceHttpToken(name),
      inject: [options, KEYCLOAK],
      useFactory: (given: ServiceHttpOptions, keycloak: ComposedKeycloak) => new ServiceHttp(name, given, keycloak),
    },
  ];
}
