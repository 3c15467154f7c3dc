import { bootstrap } from 'service-defaults';
import { serviceCConfig } from './config.js';
import { ServiceCModule } from './service-c.module.js';

await bootstrap(ServiceCModule, serviceCConfig);
