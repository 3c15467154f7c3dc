import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import { OpenApiDocument } from './openapi-document.js';

@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly document: OpenApiDocument) {}

  /** The route exists only if everyone may read the document. */
  @Get()
  @Public()
  @Header('Content-Type', 'application/json; charset=utf-8')
  json(): Promise<string> {
    return this.document.json();
  }
}
