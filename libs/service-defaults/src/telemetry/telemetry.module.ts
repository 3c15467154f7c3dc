import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { KeycloakTelemetryModule } from 'nestjs-keycloak-s2s/opentelemetry';

const END = Symbol('service-defaults:end-of-telemetry');

@Module({ imports: [KeycloakTelemetryModule] })
export class TelemetryModule {
  static endingWith(end: () => Promise<void>): DynamicModule {
    const hook: OnApplicationShutdown = { onApplicationShutdown: end };
    return { module: TelemetryModule, providers: [{ provide: END, useFactory: () => hook }] };
  }
}
