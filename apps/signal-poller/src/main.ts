import { bootstrap } from 'service-defaults';
import { signalPollerConfig } from './config.js';
import { SignalPollerModule } from './signal-poller.module.js';

await bootstrap(SignalPollerModule, signalPollerConfig);
