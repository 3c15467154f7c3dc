import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';

export interface Page {
  readonly template: string;
  readonly model: object;
}

@Injectable()
export class Pages {
  readonly #eta = new Eta({ views: fileURLToPath(new URL('../../views', import.meta.url)), cache: true });

  render({ template, model }: Page): string {
    return this.#eta.render(`./${template}`, model);
  }
}
