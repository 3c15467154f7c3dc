/** Pages: what a browser is shown, from the templates in views/. */
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import type { RefusalBody } from 'nestjs-keycloak-s2s';
import type { AttackReport } from '../attacks/attack-lab.js';
import type { Attack } from '../attacks/attack-list.js';
import { NO_DETAILS, type ChainDetails } from '../chain/chain-details.js';
import { PARTIES } from '../chain/parties.js';
import type { ProcessedOrder } from '../processing.client.js';
import { attacksPage } from './attacks-page.js';
import { loginAdviceFor } from './login-advice.js';
import { adviceFor } from './refusal-advice.js';

export interface HomePage {
  readonly demoMode: boolean;
  /** Who is logged in, and what the form to log out has to bring back. */
  readonly user: { readonly name: string; readonly csrfToken: string } | undefined;
  /** Whether nobody is logged in, and the browser has a session all the same: one that is over, or of another instance. */
  readonly hasUnknownSession?: boolean;
  /** Those that can be tried: in demo mode. */
  readonly attacks: readonly Attack[];
}

/** Templates escape whatever they print. */
@Injectable()
export class Pages {
  readonly #eta = new Eta({ views: fileURLToPath(new URL('../../views', import.meta.url)), cache: true });

  home(page: HomePage): string {
    return this.#eta.render('./home', page);
  }

  attacksRun(reports: readonly AttackReport[]): string {
    return this.#eta.render('./attacks-run', attacksPage(reports));
  }

  attacksRefused(body: RefusalBody, status: number): string {
    return this.#eta.render('./attacks-refused', { body, status, advice: adviceFor(body) });
  }

  loginFailed(code: string): string {
    return this.#eta.render('./login-failed', { advice: loginAdviceFor(code) });
  }

  chainSucceeded(answer: ProcessedOrder, caller: string, details: ChainDetails = NO_DETAILS): string {
    return this.#eta.render('./chain-succeeded', { answer, caller, json: pretty(answer), ...shown(details) });
  }

  chainRefused(body: RefusalBody, status: number, details: ChainDetails = NO_DETAILS): string {
    const page = { body, status, advice: adviceFor(body), json: pretty(body), ...shown(details) };
    return this.#eta.render('./chain-refused', page);
  }
}

const shown = (details: ChainDetails) => ({ ...details, parties: Object.values(PARTIES) });

function pretty(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
