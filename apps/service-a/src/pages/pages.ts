/** Pages: renders what a browser is shown, by the templates in views/. */
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';

/** A page before it is rendered: made by the part of Service A that knows what it is about. */
export interface Page {
  /** The name of its template. */
  readonly template: string;
  /** What the template prints. */
  readonly model: object;
}

/** Templates escape whatever they print. */
@Injectable()
export class Pages {
  readonly #eta = new Eta({ views: fileURLToPath(new URL('../../views', import.meta.url)), cache: true });

  render({ template, model }: Page): string {
    return this.#eta.render(`./${template}`, model);
  }
}
