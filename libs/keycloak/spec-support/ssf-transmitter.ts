/** An SSF 1.0 transmitter with poll delivery (RFC 8936), at paths that no known server uses. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IssuedToken } from '../src/protocol/issued-token.js';
import { tokenText } from '../src/testing/token-text.js';
import { rsaSigner, type Json, type Signer } from './signers.js';
import type { StillClock } from './still-clock.js';

export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
export const CREDENTIAL_CHANGE = 'https://schemas.openid.net/secevent/caep/event-type/credential-change';
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
const STREAM_UPDATED = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';

const PATH = '/tenants/7';

const SIGNER = rsaSigner();

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Json;
}

export type Instead = { readonly status: number; readonly body?: string; readonly type?: string } | 'hang' | undefined;

export interface ToldSet {
  readonly claims?: Json;
  readonly header?: Json;
  readonly signer?: Signer;
}

export class SsfTransmitter {
  asked: Asked[] = [];
  instead: (asked: Asked) => Instead = () => undefined;
  signer: Signer = SIGNER;
  keys: Json[] = [this.signer.jwk];
  configuration: Json = {};
  stream: Json | undefined;
  status = 'enabled';
  minVerificationSeconds = 5;
  verifiesLate = false;
  maxPage = Infinity;
  aheadSeconds = 0;
  logins = 0;
  readonly scopes: (string | undefined)[] = [];
  tokenSeconds = 300;
  publicOrigin: string | undefined;
  #pending = new Map<string, string>();
  #held = { jtis: new Set<string>(), polls: 0 };
  #late: (() => void)[] = [];
  #verifiedAt = -Infinity;
  #tokens = new Set<string>();

  private constructor(
    private readonly server: Server,
    private readonly clock: StillClock,
  ) {}

  static async start(clock: StillClock): Promise<SsfTransmitter> {
    // On a busy machine, the server would close an idle connection while the client sends the next request.
    const server = createServer({ keepAliveTimeout: 0 });
    const transmitter = new SsfTransmitter(server, clock);
    server.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void transmitter.#serve(request, response),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return transmitter;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get issuer(): string {
    return `${this.publicOrigin ?? this.origin}${PATH}`;
  }

  get realmUrl(): string {
    return `${this.origin}${PATH}`;
  }

  get configurationUrl(): string {
    return `${this.origin}/.well-known/ssf-configuration${PATH}`;
  }

  get now(): number {
    return this.clock.epochSeconds() + this.aheadSeconds;
  }

  get pending(): readonly string[] {
    return [...this.#pending.keys()];
  }

  count(what: string): number {
    return this.asked.filter(({ path }) => path.split('?')[0]?.endsWith(what) === true).length;
  }

  readonly login = async (scope?: string): Promise<IssuedToken> => {
    this.logins += 1;
    this.scopes.push(scope);
    const issued = new IssuedToken(tokenText(randomUUID()), scope?.split(' ') ?? [], this.tokenSeconds);
    this.#tokens.add(issued.reveal());
    return issued;
  };

  endTokens(): void {
    this.#tokens.clear();
  }

  makeStream(members: Json = {}): void {
    this.stream = {
      stream_id: 'f81d',
      iss: this.issuer,
      aud: ['https://receiver.example.com/web', 'https://receiver.example.com/mobile'],
      delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: this.#address('/deliveries/f81d') },
      events_supported: [SESSION_REVOKED, CREDENTIAL_CHANGE],
      events_requested: [SESSION_REVOKED, CREDENTIAL_CHANGE],
      events_delivered: [SESSION_REVOKED, CREDENTIAL_CHANGE],
      min_verification_interval: this.minVerificationSeconds,
      ...members,
    };
  }

  session(sub: string, sid?: string): Json {
    const user = { format: 'iss_sub', iss: this.issuer, sub };
    return { format: 'complex', user, ...(sid === undefined ? {} : { session: { format: 'opaque', id: sid } }) };
  }

  token(
    events: Json,
    subId: Json,
    { claims = {}, header = {}, signer = this.signer }: ToldSet = {},
    jti = randomUUID(),
  ): string {
    const all: Json = {
      iss: this.issuer,
      iat: Math.floor(this.now),
      jti,
      aud: 'https://receiver.example.com/web',
      txn: '8675',
    };
    return signer.sign({ ...all, events, sub_id: subId, ...claims }, { typ: 'secevent+jwt', ...header });
  }

  tell(type: string, subId: Json, how: ToldSet = {}, event: Json = { event_timestamp: 1 }): string {
    const jti = randomUUID();
    this.deliver(this.token({ [type]: event }, subId, how, jti), jti);
    return jti;
  }

  revoked(sub: string, sid?: string, how: ToldSet = {}): string {
    return this.tell(SESSION_REVOKED, this.session(sub, sid), how);
  }

  deliver(set: string, jti: string = randomUUID()): string {
    this.#pending.set(jti, set);
    return jti;
  }

  acknowledge(jtis: readonly string[]): void {
    for (const jti of jtis) this.#pending.delete(jti);
  }

  /** Withholds the pending events, as if another poll had received the events. */
  hold(polls: number): void {
    this.#held = { jtis: new Set(this.#pending.keys()), polls };
  }

  setStatus(status: string): void {
    this.status = status;
    this.tell(STREAM_UPDATED, { format: 'opaque', id: String(this.stream?.['stream_id']) }, {}, { status });
  }

  verify(state?: string): void {
    this.#verifiedAt = this.now;
    const subject = { format: 'opaque', id: String(this.stream?.['stream_id']) };
    this.tell(VERIFICATION, subject, {}, state === undefined ? {} : { state });
  }

  releaseLate(): void {
    for (const tell of this.#late.splice(0)) tell();
  }

  #address(path: string): string {
    return `${this.publicOrigin ?? this.origin}${path}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = request;
    const text = Buffer.concat(chunks).toString();
    const asked = {
      method,
      path,
      authorization: headers.authorization,
      body: text === '' ? {} : (JSON.parse(text) as Json),
    };
    this.asked.push(asked);
    const instead = this.instead(asked);
    if (instead === 'hang') return;
    if (instead !== undefined) {
      response
        .writeHead(instead.status, { 'content-type': instead.type ?? 'application/json' })
        .end(instead.body ?? '{}');
      return;
    }
    const [status, body] = this.#answer(asked, path.split('?')[0] ?? '');
    if (body === undefined) response.writeHead(status).end();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #answer(asked: Asked, path: string): [status: number, body?: unknown] {
    if (path === `/.well-known/ssf-configuration${PATH}`) return [200, this.#published()];
    if (path === '/keys') return [200, { keys: this.keys }];
    if (!this.#tokens.has(asked.authorization?.replace(/^Bearer /, '') ?? '')) return [401];
    switch (`${asked.method} ${path}`) {
      case 'GET /feeds':
        return [200, this.stream === undefined ? [] : [this.stream]];
      case 'POST /feeds':
        if (this.stream !== undefined) return [409, { err: 'exists' }];
        this.makeStream({ events_requested: asked.body['events_requested'] });
        return [201, this.stream];
      case 'GET /feeds/state':
        return this.stream === undefined ? [404] : [200, { stream_id: this.stream['stream_id'], status: this.status }];
      case 'POST /feeds/check':
        return this.#check(asked.body);
      case 'POST /deliveries/f81d':
        return this.stream === undefined ? [404] : [200, this.#poll(asked.body)];
      default:
        return [404];
    }
  }

  #published(): Json {
    return {
      spec_version: '1_0',
      issuer: this.issuer,
      jwks_uri: this.#address('/keys'),
      delivery_methods_supported: ['urn:ietf:rfc:8936'],
      configuration_endpoint: this.#address('/feeds'),
      status_endpoint: this.#address('/feeds/state'),
      verification_endpoint: this.#address('/feeds/check'),
      critical_subject_members: ['user', 'tenant'],
      default_subjects: 'ALL',
      ...this.configuration,
    };
  }

  #check({ stream_id: id, state }: Json): [status: number] {
    if (id !== this.stream?.['stream_id']) return [404];
    if (this.now < this.#verifiedAt + this.minVerificationSeconds) return [429];
    const tell = (): void => this.verify(typeof state === 'string' ? state : undefined);
    this.#verifiedAt = this.now;
    if (this.verifiesLate) this.#late.push(tell);
    else tell();
    return [204];
  }

  #poll({ ack, maxEvents = 100 }: Json): Json {
    this.acknowledge(Array.isArray(ack) ? (ack as string[]) : []);
    this.#held.polls -= 1;
    const free = [...this.#pending].filter(([jti]) => this.#held.polls < 0 || !this.#held.jtis.has(jti));
    const first = free.slice(0, Math.min(Number(maxEvents), this.maxPage));
    const moreAvailable = first.length < free.length;
    return { sets: Object.fromEntries(first), ...(moreAvailable ? { moreAvailable } : {}) };
  }
}
