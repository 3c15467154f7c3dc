import { systemClock, type Clock } from '../caching/clock.js';
import { Network, type Connections, type TrustedAuthorities } from '../http/network.js';
import { HttpFailure } from '../http/send-request.js';
import { OWN_BODY } from '../http/stream-request.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import {
  CallGate,
  type CallGateOptions,
  type CallsState,
  type CircuitState,
  type Wait,
} from '../resilience/call-gate.js';
import { MAX_WAIT_FRACTION } from '../resilience/call-policy.js';
import type { AnswerHead } from './answer-head.js';
import { isWorthAnother, serviceFailure } from './service-call-failures.js';
import { serviceCallRules } from './service-call-rules.js';
import { ServicePaths } from './service-paths.js';
import { UNTRACED, type TraceHeaders } from './trace-headers.js';

export interface ServiceTransportOptions extends CallGateOptions {
  readonly name: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly gzip?: boolean;
  readonly tls?: TrustedAuthorities;
}

export interface ServiceTarget {
  readonly connections: Connections;
  readonly origin: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly trace: TraceHeaders;
  readonly options: ServiceTransportOptions;
}

export interface ServiceAnswer extends AnswerHead {
  readonly body: unknown;
}

export interface Exchange<Answer extends ServiceAnswer> {
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  /** False if other calls may use the signal. */
  readonly ownsSignal: boolean;
  readonly timeoutMs: number | undefined;
  readonly isRepeatable: boolean;
  send(target: ServiceTarget, timeoutMs: number): Promise<Answer>;
  /** Waits for the end of a streamed answer; undefined if `send` returns only complete answers. */
  readonly over: ((answer: Answer) => Promise<void>) | undefined;
}

/** A time-out that the called service did not cause: the caller set a shorter time, or sent its body too slowly. */
class OwnTimeout extends Error {
  constructor(readonly failure: unknown) {
    super();
  }
}

/** Follows no redirect and accepts no absolute URL, so a token can't reach another origin. */
export class ServiceTransport {
  readonly paths: ServicePaths;
  readonly #connections: Connections;
  readonly #gate: CallGate<ServiceAnswer>;

  constructor(
    private readonly options: ServiceTransportOptions,
    network = new Network(),
    clock: Clock = systemClock,
    onCircuit?: (state: CircuitState) => void,
  ) {
    this.#gate = new CallGate(options, serviceCallRules(options.name), clock, onCircuit);
    this.paths = new ServicePaths(options.name, options.baseUrl);
    this.#connections = network.toService(options);
  }

  /** Returns an answer of any status; `path` must come from `paths`. */
  async send<Answer extends ServiceAnswer>(
    exchange: Exchange<Answer>,
    path: string,
    authorization?: string,
    trace = UNTRACED,
  ): Promise<Answer> {
    const { options } = this;
    const { method, signal, timeoutMs: boundMs = options.timeoutMs } = exchange;
    const target = { connections: this.#connections, origin: this.paths.origin, path, authorization, trace, options };
    const call = (waitedMs: number): Promise<Answer> => this.#try(exchange, target, boundMs - waitedMs);
    const wait: Wait = { leftMs: boundMs * MAX_WAIT_FRACTION, signal, isGivenUp: () => signal?.aborted === true };
    try {
      return await this.#gate.pass(call, wait, exchange.over);
    } catch (error) {
      const ended = this.#gate.errorOf(error);
      const failure = ended instanceof OwnTimeout ? ended.failure : ended;
      // Many calls may share the caller's abort reason, so the abort reason stays unchanged.
      const isOurs = failure instanceof KeycloakException && (exchange.ownsSignal || failure !== signal?.reason);
      throw isOurs ? failure.add({ call: `${method} ${this.paths.addressOf(path)}` }) : failure;
    }
  }

  get state(): CallsState {
    return this.#gate.state;
  }

  async #try<Answer extends ServiceAnswer>(
    exchange: Exchange<Answer>,
    target: ServiceTarget,
    timeoutMs: number,
  ): Promise<Answer> {
    const startMs = performance.now();
    try {
      return await exchange.send(target, timeoutMs);
    } catch (error) {
      if (!exchange.isRepeatable || !isWorthAnother(error, exchange.method)) throw this.#failureOf(error, exchange);
      const leftMs = Math.max(1, timeoutMs - (performance.now() - startMs));
      return exchange.send(target, leftMs).catch((second: unknown) => {
        throw this.#failureOf(second, exchange);
      });
    }
  }

  #failureOf(error: unknown, { timeoutMs = Infinity }: { readonly timeoutMs: number | undefined }): unknown {
    const failure = serviceFailure(this.options.name, error);
    if (!(error instanceof HttpFailure) || error.reason !== 'timeout') return failure;
    return timeoutMs < this.options.timeoutMs || error.detail === OWN_BODY ? new OwnTimeout(failure) : failure;
  }
}
