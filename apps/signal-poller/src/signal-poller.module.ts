/** SignalPollerModule: hears of revocations at Keycloak, and tells the services over the channel. It has no route but those that every service has. */
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
  /** The same in demo mode: it shows nothing. */
  static register(): DynamicModule {
    return { module: SignalPollerModule };
  }
}

/** As main.ts starts it: doctor examines this. */
export const root = (): DynamicModule => SignalPollerModule.register();
