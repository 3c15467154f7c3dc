/** EventStream: server-sent events for one browser (WHATWG HTML §9.2), kept open by heartbeats. */
import { PassThrough, type Readable } from 'node:stream';

/** The interval of heartbeats, which is shorter than the idle timeout of proxies. */
const HEARTBEAT_MS = 15_000;

const MAX_UNREAD_BYTES = 256 * 1024;

export class EventStream {
  readonly #body = new PassThrough();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS).unref();
    this.#body.once('close', () => clearInterval(this.#heartbeat));
  }

  get body(): Readable {
    return this.#body;
  }

  send(event: string, data: string): void {
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    this.#write(`event: ${event}\n${lines.join('')}\n`);
  }

  end(): void {
    clearInterval(this.#heartbeat);
    if (!this.#body.writableEnded) this.#body.end();
  }

  #write(text: string): void {
    if (this.#body.writableEnded || this.#body.destroyed) return;
    if (this.#body.readableLength + this.#body.writableLength > MAX_UNREAD_BYTES) this.#body.destroy();
    else this.#body.write(text);
  }
}
