/** Pages: renders pages from the templates in views/. */
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';

/** A page before it is rendered, as created by the room that it belongs to. */
export interface Page {
  /** The name of the template. */
  readonly template: string;
  /** The values that the template prints. */
  readonly model: object;
}

/** The templates escape all values. */
@Injectable()
export class Pages {
  readonly #eta = new Eta({ views: fileURLToPath(new URL('../../views', import.meta.url)), cache: true });

  render({ template, model }: Page): string {
    return this.#eta.render(`./${template}`, model);
  }
}
