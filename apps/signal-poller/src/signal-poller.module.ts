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
  /** Demo mode changes nothing here. */
  static register(): DynamicModule {
    return { module: SignalPollerModule };
  }
}

/** `doctor` examines the module as main.ts starts it. */
export const root = (): DynamicModule => SignalPollerModule.register();
