import { Controller, Get, Module } from '@nestjs/common';

@Controller('route')
export class RouteController {
  @Get()
  answer(): object {
    return { answer: 42 };
  }
}

@Module({ controllers: [RouteController] })
export class Application {}
