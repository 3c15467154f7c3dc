import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import { securityHeaders } from '../security-headers.js';

const POLICY = securityHeaders({ scripts: true, dataImages: true })['content-security-policy'] ?? '';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>OpenAPI</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="openapi/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="openapi/swagger-ui-bundle.js"></script>
    <script src="openapi/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', validatorUrl: null });
`;

/** The Swagger UI, for development only, since users may type tokens into the page. */
@Controller('openapi')
@Public()
export class OpenApiPageController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', POLICY)
  page(): string {
    return PAGE;
  }

  @Get('start.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get('swagger-ui-bundle.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return fileOf('swagger-ui-bundle.js');
  }

  @Get('swagger-ui.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  styles(): string {
    return fileOf('swagger-ui.css');
  }
}

function fileOf(name: string): string {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
  return readFileSync(resolve(`swagger-ui-dist/${name}`), 'utf8');
}
