import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import type { ReplicatedServices } from '../support/replicated-services.js';
import { History } from './history.js';
import type { NoticeProxy } from './notices.js';
import { ask, type Sent } from './requests.js';
import { Stalls } from './stalls.js';
import { faultOf, type Answer, type Credential } from './verdicts.js';

export interface Violation {
  readonly what: string;
  readonly who: string;
  readonly answer: object;
  readonly credential: object;
}

export class Run {
  readonly history = new History();
  readonly answers = new Map<string, number>();
  readonly ended: { readonly credential: Credential; readonly sent: Sent }[] = [];
  readonly servedMs = new Map<string, number>();
  readonly over = new AbortController();
  readonly beganMs = performance.now();
  readonly #stalls: Stalls;
  violation: Violation | undefined;

  constructor(
    readonly services: ReplicatedServices,
    readonly keycloak: ContractServer,
    readonly notices: NoticeProxy,
    readonly publicUrl: string,
    serverUrl: string,
  ) {
    this.#stalls = Stalls.watch(this.history, services, serverUrl, this.over.signal);
  }

  get isOver(): boolean {
    return this.over.signal.aborted;
  }

  async send(who: string, sent: Sent, credential: Credential): Promise<Answer> {
    const answer = await ask(sent);
    this.count(`${credential.kind} ${answer.path}: ${answer.status} ${answer.code ?? ''}`.trim());
    let what = faultOf(answer, credential, this.history);
    if (what !== undefined) {
      await this.untilStallsAreKnown();
      what = faultOf(answer, credential, this.history);
    }
    if (what !== undefined) this.report(what, who, answer, credential);
    if (answer.status === 200 && isGood(credential)) this.servedMs.set(who, performance.now());
    return answer;
  }

  async untilStallsAreKnown(): Promise<void> {
    await this.#stalls.recordedUntil(performance.now());
  }

  report(what: string, who: string, answer: object, credential: object): void {
    this.violation ??= { what, who, answer: this.#atSeconds(answer), credential: this.#atSeconds(credential) };
    this.over.abort();
  }

  count(kind: string): void {
    this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1);
  }

  #atSeconds(found: object): object {
    return Object.fromEntries(
      Object.entries(found).map(([name, value]) =>
        name.endsWith('Ms')
          ? [name.replace(/Ms$/, ''), `${((Number(value) - this.beganMs) / 1000).toFixed(3)} s`]
          : [name, value],
      ),
    );
  }
}

const isGood = ({ kind, endingMs, deadMs }: Credential): boolean =>
  kind !== 'wrong' && endingMs === undefined && deadMs === undefined;
