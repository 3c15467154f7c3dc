/** Home page: what the start page shows of its visitor and of what can be tried. */
import type { Attack } from '../attacks/attack-list.js';
import type { Page } from '../pages/pages.js';

export interface HomePage {
  readonly demoMode: boolean;
  /** Who is logged in, and what the form to log out has to bring back. */
  readonly user: { readonly name: string; readonly csrfToken: string } | undefined;
  /** Whether nobody is logged in, and the browser has a session all the same: one that is over, or of another instance. */
  readonly hasUnknownSession?: boolean;
  /** Those that can be tried: in demo mode. */
  readonly attacks: readonly Attack[];
}

export const homePage = (model: HomePage): Page => ({ template: 'home', model });
