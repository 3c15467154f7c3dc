/** StreamingServiceClient: calls one other service with any body, always with a token made for that service. For doors of the library. */
import type { Refusal } from '../protocol/refusal.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import { checkHeaders } from './call-headers.js';
import { CallObservation } from './call-observation.js';
import { DeclaredScopes } from './declared-scopes.js';
import { sendWithToken } from './send-with-token.js';
import type { ServiceAudiences } from './service-audiences.js';
import { answerFailure } from './service-call-failures.js';
import {
  jsonOf,
  type StreamingRequest,
  type StreamingResponse,
  type StreamingTransport,
} from './streaming-transport.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import type { TokenSources } from './token-sources.js';
import { withTrace, type TraceHeaders } from './trace-headers.js';

export class StreamingServiceClient {
  constructor(
    readonly name: string,
    private readonly audiences: ServiceAudiences,
    private readonly transport: StreamingTransport,
    private readonly tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
    private readonly scopes = new DeclaredScopes(name, undefined),
    private readonly observation = new CallObservation(),
  ) {}

  /**
   * Calls in this service's own name, with a client-credentials token for `scope` (a space-separated set). Without it, for what the realm gives
   * unasked: where permissions are roles. Throws `TypeError` when it is malformed, or not declared.
   */
  asSelf(scope?: string): StreamingServiceCaller {
    const request = clientCredentialsRequest(scope, this.audiences.issuer);
    this.scopes.check('asSelf', scope);
    return new StreamingServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }

  /** Calls for the subject of `token`, which is exchanged for one with `scope` at this service's audience, or with none, as `asSelf`. */
  onBehalfOf(token: VerifiedAccessToken, scope?: string): StreamingServiceCaller {
    this.scopes.check('onBehalfOf', scope);
    const request = tokenExchangeRequest(token, this.audiences.at(token.issuer), scope);
    return new StreamingServiceCaller(this.name, this.transport, this.tokens, request, this.observation);
  }
}

/** What came back, and the error that it is where it is no success. */
export interface StreamingAnswer {
  readonly response: StreamingResponse;
  readonly failure: () => Refusal;
  /** Whether the text holds a token that was sent, be it with escapes of JSON. */
  readonly holdsToken: (text: string) => boolean;
}

/** As a parser of JSON reads it (RFC 8259 §7): some write a slash with an escape, and any character may be written by its number. */
const withoutEscapes = (text: string): string =>
  text.replaceAll(/\\(?:u([\da-f]{4})|([/\\"]))/gi, (_, code: string | undefined, plain: string) =>
    code === undefined ? plain : String.fromCharCode(Number.parseInt(code, 16)),
  );

export class StreamingServiceCaller {
  constructor(
    readonly service: string,
    private readonly transport: StreamingTransport,
    private readonly tokens: Pick<TokenSources, 'get' | 'dropRefused'>,
    private readonly tokenRequest: TokenRequest,
    private readonly observation: CallObservation,
  ) {}

  /**
   * Any status is an answer. Throws what `ServiceCaller.request` throws of a call without one. A token that the service refuses is renewed; the request is then sent once more if its body can be.
   */
  async send(request: StreamingRequest): Promise<StreamingAnswer> {
    request.signal?.throwIfAborted();
    // Before a token is asked for.
    checkHeaders(request.headers);
    const path = this.transport.pathOf(request);
    const sendIn = (trace: TraceHeaders) => async (authorization: string) =>
      this.transport.send({ ...request, headers: withTrace(request.headers, trace) }, path, authorization);
    const { isRepeatable } = request.body;
    const { method, signal } = request;
    const { response, token, refused } = await this.observation.observe(
      { service: this.service, method, origin: this.transport.origin },
      (trace) => sendWithToken(this.tokens, this.tokenRequest, sendIn(trace), { signal, isRepeatable }),
      signal,
    );
    return {
      response,
      failure: () =>
        answerFailure(this.service, this.tokenRequest, [token, refused], {
          status: response.status,
          headers: response.headers,
          body: jsonOf(response.body),
        }).add({ call: `${method} ${this.transport.addressOf(path)}` }),
      holdsToken: (text) => {
        const texts = [text, withoutEscapes(text)];
        return [token, refused].some(
          (sent) => sent !== undefined && texts.some((each) => each.includes(sent.reveal())),
        );
      },
    };
  }
}
