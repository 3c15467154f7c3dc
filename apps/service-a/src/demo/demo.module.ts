import { Module } from '@nestjs/common';
import { RequestTraceModule } from 'demo';
import { AttacksModule } from '../attacks/attacks.module.js';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { MatrixModule } from '../matrix/matrix.module.js';
import { prefersHtml } from '../pages/negotiation.js';
import { WatchModule } from '../watch/watch.module.js';

@Module({
  imports: [
    AttacksModule,
    MatrixModule,
    WatchModule,
    RequestTraceModule.forRootAsync({
      inject: [serviceAConfig.KEY],
      useFactory: ({ name, urls }: ServiceAConfig) => ({
        service: name,
        calls: urls,
        startsTrace: (request) => prefersHtml(request) && request.raw.url?.split('?')[0] === '/run-service-b',
      }),
    }),
  ],
  exports: [RequestTraceModule],
})
export class DemoModule {}
