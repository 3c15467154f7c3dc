// Raw connection: HTTP/1.1 by hand over one kept-alive socket, so that the load takes as little as can be from the cores beside it.
import { once } from 'node:events';
import { connect } from 'node:net';

const HEADERS_END = Buffer.from('\r\n\r\n');

/** The bytes of a request, made once for all who send it. */
export function requestBytes({ method = 'GET', path, headers = {}, body = '' }, host) {
  const lines = Object.entries({ host, ...headers, ...(body && { 'content-length': Buffer.byteLength(body) }) });
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${body}`,
    'latin1',
  );
}

/** One request at a time. Answers must say how long they are, as those of all servers here do. */
export class RawConnection {
  #socket;
  #received = Buffer.alloc(0);
  #answered;
  #failed;

  static async open(url) {
    const { hostname, port } = new URL(url);
    const connection = new RawConnection();
    connection.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    connection.#socket.on('data', (chunk) => connection.#read(chunk));
    connection.#socket.on('close', () => connection.#failed?.(new Error(`${url} closed the connection`)));
    await once(connection.#socket, 'connect');
    connection.#socket.on('error', () => undefined);
    return connection;
  }

  /** Resolves with the status of the answer, once that is whole. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk) {
    const all = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headersEnd = all.indexOf(HEADERS_END);
    const whole = headersEnd < 0 ? undefined : lengthOf(all, headersEnd);
    if (whole === undefined || all.length < whole) {
      this.#received = all;
      return;
    }
    this.#received = all.subarray(whole);
    // "HTTP/1.1 200"
    this.#answered(Number(all.latin1Slice(9, 12)));
  }
}

function lengthOf(bytes, headersEnd) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.latin1Slice(0, headersEnd))?.[1];
  if (length === undefined) throw new Error('An answer does not say how long it is');
  return headersEnd + HEADERS_END.length + Number(length);
}
