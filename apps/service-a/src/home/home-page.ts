import { byGroup } from '../attacks/attack-groups.js';
import type { Attack } from '../attacks/attack-list.js';
import type { DemoUser } from '../login/demo-users.js';
import type { RefusedPage } from '../login/refusal-page.filter.js';
import type { MatrixModel } from '../matrix/matrix-page.js';
import type { Page } from '../pages/pages.js';

export interface HomePage {
  readonly demoMode: boolean;
  readonly user: { readonly name: string; readonly csrfToken: string } | undefined;
  /** Whether the browser's session has ended or belongs to a different instance. */
  readonly hasUnknownSession?: boolean;
  readonly users?: readonly DemoUser[];
  readonly attacks: readonly Attack[];
  readonly isWatched?: boolean;
  readonly matrix?: MatrixModel | undefined;
}

export const homePage = ({ users = [], attacks, user, ...model }: HomePage): Page => ({
  template: 'home',
  model: {
    ...model,
    user,
    others: users.filter(({ name }) => name !== user?.name),
    attackCount: attacks.length,
    attackGroups: byGroup(attacks, ({ group }) => group),
  },
});

export const homeRefusedPage = (refused: RefusedPage): Page => ({ template: 'home-refused', model: refused });
