import { JsonExchange, type JsonRequest } from '../src/client/json-exchange.js';
import { ServiceTransport, type ServiceAnswer } from '../src/client/service-transport.js';
import type { CallsState } from '../src/resilience/call-gate.js';

export interface PathRequest extends JsonRequest {
  readonly path: string;
}

export class JsonTransport {
  readonly #transport: ServiceTransport;

  constructor(...given: ConstructorParameters<typeof ServiceTransport>) {
    this.#transport = new ServiceTransport(...given);
  }

  async send({ path, ...request }: PathRequest): Promise<ServiceAnswer> {
    return this.#transport.send(new JsonExchange(request), this.#transport.paths.below(path));
  }

  get state(): CallsState {
    return this.#transport.state;
  }
}
