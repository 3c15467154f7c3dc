import { Module, type DynamicModule } from '@nestjs/common';
import { RevocationEventsModule } from 'nestjs-keycloak-s2s/signals';
import { serviceModules } from 'service-defaults';
import { signalPollerConfig, type SignalPollerConfig } from './config.js';

@Module({
  imports: [
    ...serviceModules(signalPollerConfig),
    // #region signals
    RevocationEventsModule.forRootAsync({
      inject: [signalPollerConfig.KEY],
      useFactory: ({ signals }: SignalPollerConfig) => signals,
    }),
    // #endregion signals
  ],
})
export class SignalPollerModule {
  static register(): DynamicModule {
    return { module: SignalPollerModule };
  }
}

export const root = (): DynamicModule => SignalPollerModule.register();
