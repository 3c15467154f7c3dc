import { bootstrap } from 'service-defaults';
import { serviceAConfig } from './config.js';
import { ServiceAModule } from './service-a.module.js';

await bootstrap(ServiceAModule, serviceAConfig);
