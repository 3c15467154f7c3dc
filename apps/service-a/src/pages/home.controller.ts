/** Home: the page that explains the chain and runs it. */
import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { Public } from 'nestjs-keycloak-s2s';
import { serviceAConfig } from '../config.js';
import { Pages } from './pages.js';

@Controller()
export class HomeController {
  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ConfigType<typeof serviceAConfig>,
    private readonly pages: Pages,
  ) {}

  @Get()
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  home(): string {
    return this.pages.home(this.config.demoMode);
  }
}
