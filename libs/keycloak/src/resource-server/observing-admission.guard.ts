import type { ExecutionContext, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import type { Admission } from './admission.guard.js';
import { authorize } from './authorize.js';
import { bearerToken, type BearerRequest } from './bearer-token.js';
import { missingToken, routeClosed, withoutAdapter } from './call-demands.js';
import { checkCallOrRequest } from './call-or-request.js';
import type { ObservationLog } from './observed-log.js';
import type { ObservedCall, ObservedJudgements } from './observed-judgements.js';
import { adapterOf, type AdaptedRequest, type CallContext, type RequestAdapter } from './request.adapter.js';
import { describeHandler, describeRequest, routeOf } from './request-description.js';
import { routeAccess } from './route-access.js';
import { markAdmitted, markObserved } from './verified-requests.js';
import { demandedStaleness, NOTHING_SAID, type VerificationMethod } from './verification.js';

interface ObservingOptions {
  readonly maxTokenBytes: number;
  readonly requestAdapters: readonly RequestAdapter[];
  readonly verification: VerificationMethod;
}

export class ObservingAdmission
  implements Pick<Admission, 'admit' | 'callerOf'>, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #staleness: number;
  readonly #judged = new WeakMap<object, Set<unknown>>();

  constructor(
    private readonly verifier: AccessTokenVerifier,
    private readonly options: ObservingOptions,
    private readonly judgements: ObservedJudgements,
    private readonly log: ObservationLog,
  ) {
    this.#staleness = demandedStaleness(NOTHING_SAID, options.verification);
  }

  onApplicationBootstrap(): void {
    this.log.warn(
      "Access is NOT enforced (enforcement: 'observe'). Only the guard that this service had before decides. The start fails after observeUntil",
      { observeUntil: this.judgements.until },
    );
  }

  onApplicationShutdown(): void {
    this.judgements.end();
  }

  admit(context: ExecutionContext): true {
    markObserved(context.getArgs());
    if (!this.#isJudged(context)) {
      this.judgements.observe(
        () => this.#judge(context),
        () => callOf(context),
      );
    }
    return markAdmitted(context);
  }

  async callerOf(of: CallContext | AdaptedRequest): Promise<undefined> {
    checkCallOrRequest(of);
    return undefined;
  }

  #judge(context: ExecutionContext): unknown {
    const kind = context.getType<string>();
    const adapter = adapterOf(this.options.requestAdapters, context);
    adapter?.begin?.(context);
    const access = routeAccess(context.getClass(), context.getHandler());
    if (access.opening === 'public') return undefined;
    if (access.opening === 'closed') throw routeClosed(access);
    if (kind !== 'http' && adapter === undefined) throw withoutAdapter(kind);
    const request = adapter === undefined ? context.getArgByIndex<BearerRequest>(0) : adapter.requestOf(context);
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) {
      if (access.opening === 'optional') return undefined;
      throw missingToken();
    }
    const verified = this.verifier.tokens.verify(text, access.staleness ?? this.#staleness, kind, request);
    const allow = (token: VerifiedAccessToken): VerifiedAccessToken => {
      authorize(token, access, this.verifier);
      return token;
    };
    return verified instanceof Promise ? verified.then(allow) : allow(verified);
  }

  /** One GraphQL query may contain an operation thousands of times, under different aliases. */
  #isJudged(context: ExecutionContext): boolean {
    try {
      const adapter = adapterOf(this.options.requestAdapters, context);
      if (adapter === undefined) return false;
      const call = adapter.callOf(context);
      if (adapter.connectionOf?.(context)?.key === call) return false;
      const handlers = this.#judged.get(call) ?? new Set();
      this.#judged.set(call, handlers);
      return handlers.size === handlers.add(context.getHandler()).size;
    } catch {
      // `#judge()` throws the same error later, so the error is counted.
      return false;
    }
  }
}

function callOf(context: ExecutionContext): ObservedCall {
  if (context.getType<string>() !== 'http') {
    const { kind = '', handler = '', ...fields } = describeHandler(context);
    return { route: `${kind} ${handler}`, fields };
  }
  const request: unknown = context.getArgByIndex(0);
  const { method = '', route = '' } = routeOf(request);
  const { method: _, route: __, ...fields } = describeRequest(request);
  return { route: `${method} ${route}`, fields, response: context.getArgByIndex<object>(1) };
}
