import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';

const CACHE_CONTROL = 'public, max-age=300';

@Controller()
@Public()
export class AssetsController {
  readonly #styles = read('styles.css');
  readonly #script = read('page.js');
  readonly #icon = read('favicon.svg');

  @Get('styles.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  @Header('Cache-Control', CACHE_CONTROL)
  styles(): string {
    return this.#styles;
  }

  @Get('page.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('Cache-Control', CACHE_CONTROL)
  script(): string {
    return this.#script;
  }

  @Get('favicon.svg')
  @Header('Content-Type', 'image/svg+xml')
  @Header('Cache-Control', CACHE_CONTROL)
  icon(): string {
    return this.#icon;
  }
}

function read(name: string): string {
  return readFileSync(new URL(`../../public/${name}`, import.meta.url), 'utf8');
}
