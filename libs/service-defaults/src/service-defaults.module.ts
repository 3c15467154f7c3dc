/** ServiceDefaultsModule: the routes that every service has. */
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { WhoamiController } from './whoami.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, WhoamiController],
})
export class ServiceDefaultsModule {}
