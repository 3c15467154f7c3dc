import { parseServerTiming, type SeenToken } from 'demo';
import type { RefusalBody } from 'nestjs-keycloak-s2s';
import type { AttackReport } from '../src/attacks/attack-lab.js';
import { ATTACKS, type Attack } from '../src/attacks/attack-list.js';
import { attacksRefusedPage, attacksRunPage } from '../src/attacks/attacks-page.js';
import { matrixPage, shownAgainPage, type Viewer } from '../src/matrix/matrix-page.js';
import type { MatrixRow, ShownAgain } from '../src/matrix/token-matrix.js';
import type { ChainDetails } from '../src/chain/chain-details.js';
import { chainRefusedPage, chainSucceededPage } from '../src/chain/chain-page.js';
import { homePage, homeRefusedPage, type HomePage } from '../src/home/home-page.js';
import { loginFailedPage } from '../src/login/login-page.js';
import { adviceFor } from '../src/login/refusal-advice.js';
import type { RefusedPage } from '../src/login/refusal-page.filter.js';
import { Pages } from '../src/pages/pages.js';
import { refundedPage, refundPage, refundRefusedPage, type RefundPage } from '../src/refunds/refund-page.js';
import type { ProcessedOrder } from '../src/processing.client.js';
import { watchPage, type FeedStatus } from '../src/watch/watch-page.js';
import type { WatchStory } from '../src/watch/watch-story.js';

const pages = new Pages();
const refused = (body: RefusalBody, loginLink?: string): RefusedPage => ({
  body,
  status: 403,
  advice: adviceFor(body),
  loginLink,
});

export const home = (page: HomePage): string => pages.render(homePage(page));
export const homeRefused = (body: RefusalBody): string => pages.render(homeRefusedPage(refused(body)));
export const attacksRun = (reports: readonly AttackReport[]): string => pages.render(attacksRunPage(reports));
export const matrixRun = (rows: readonly MatrixRow[]): string => pages.render(matrixPage(rows));
export const shownAgain = (shown: ShownAgain, viewer?: Viewer): string => pages.render(shownAgainPage(shown, viewer));
export const attacksRefused = (body: RefusalBody): string => pages.render(attacksRefusedPage(refused(body)));
export const loginFailed = (code: string): string => pages.render(loginFailedPage(code));
export const chainSucceeded = (answer: ProcessedOrder, caller: string, details?: ChainDetails): string =>
  pages.render(chainSucceededPage(answer, caller, details));
export const chainRefused = (body: RefusalBody, details?: ChainDetails): string =>
  pages.render(chainRefusedPage(refused(body), details));

export const refund = (page: RefundPage): string => pages.render(refundPage(page));
export const refunded = (answer: ProcessedOrder): string => pages.render(refundedPage(answer));
export const refundRefused = (body: RefusalBody, loginLink?: string): string =>
  pages.render(refundRefusedPage(refused(body, loginLink)));

export const FEED_STATUS: FeedStatus = { state: 'healthy', isShared: true, windowSeconds: 10, asksKeycloak: true };
export const watched = (story: WatchStory, username = 'alice', feedStatus = FEED_STATUS): string =>
  pages.render(watchPage(story, username, feedStatus));

export const ATTACK = ATTACKS[0] as Attack;
export const MADE = {
  attack: { what: 'this', answer: { status: 401, code: 'invalid_token', reason: 'inactive' } },
  control: { what: 'the same', answer: { status: 200 } },
};
export const ANSWER = { service_b: 'done', service_c: { result: 1, msg: 'done' } };
export const METRICS = parseServerTiming(
  'service-a.introspection;desc="cached";dur=0, service-a.token-exchange;desc="requested";dur=3, ' +
    'service-a.call;desc="service-b 200";dur=9, service-b.total;dur=7, service-a.total;dur=12',
  'nobody',
);
export const token = (service: string, claims: SeenToken['claims']): SeenToken => ({
  service,
  fingerprint: 'token:1',
  claims,
});
