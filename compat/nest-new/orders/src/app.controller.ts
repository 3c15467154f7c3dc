import { Controller, Get } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import { AppService } from './app.service';

@Controller()
export class AppController {
  constructor(private readonly appService: AppService) {}

  @Get()
  @Public()
  getHello(): string {
    return this.appService.getHello();
  }
}
