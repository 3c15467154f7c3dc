import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

export class EventListener {
  readonly events: ServerEvent[] = [];
  text = '';
  #wake: () => void = () => undefined;
  #hasEnded = false;

  private constructor(private readonly answer: IncomingMessage) {
    answer.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk));
    answer.once('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<EventListener> {
    const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return new EventListener(answer);
  }

  get status(): number {
    return this.answer.statusCode ?? 0;
  }

  get headers(): IncomingMessage['headers'] {
    return this.answer.headers;
  }

  async until(isSo: (event: ServerEvent) => boolean): Promise<ServerEvent> {
    for (;;) {
      const found = this.events.find(isSo);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`The stream has ended: ${this.text.slice(-500)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ended(): Promise<void> {
    while (!this.#hasEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  close(): void {
    this.answer.destroy();
  }

  #take(chunk: string): void {
    this.text += chunk;
    const whole = this.text.split('\n\n').slice(0, -1);
    const read = whole.map(eventIn).filter((event) => event !== undefined);
    this.events.push(...read.slice(this.events.length));
    this.#wake();
  }
}

function eventIn(text: string): ServerEvent | undefined {
  const lines = text.split('\n');
  const event = lines.find((line) => line.startsWith('event: '))?.slice('event: '.length);
  const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
  return event === undefined ? undefined : { event, data: data.join('\n') };
}
