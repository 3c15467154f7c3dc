import { bootstrap } from 'service-defaults';
import { serviceBConfig } from './config.js';
import { ServiceBModule } from './service-b.module.js';

await bootstrap(ServiceBModule, serviceBConfig);
