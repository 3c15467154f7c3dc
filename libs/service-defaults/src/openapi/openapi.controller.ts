/** OpenApiController: GET /openapi.json. */
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import { OpenApiDocument } from './openapi-document.js';

@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly document: OpenApiDocument) {}

  /** For everybody: who may read it is decided by whether the route exists. */
  @Get()
  @Public()
  @Header('Content-Type', 'application/json; charset=utf-8')
  json(): Promise<string> {
    return this.document.json();
  }
}
