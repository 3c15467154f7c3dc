import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

/** Reads the raw bytes of the socket, because Node's HTTP server would parse the request line. */
export class RequestLines {
  readonly lines: string[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<RequestLines> {
    const server = createServer((socket) => recorder.#record(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const recorder = new RequestLines(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return recorder;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #record(socket: Socket): void {
    this.#sockets.add(socket);
    let head = '';
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (text) => {
      head += String(text);
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        this.lines.push(head.slice(0, head.indexOf('\r\n')));
        head = head.slice(end + 4);
        socket.write(ANSWER);
      }
    });
  }
}
