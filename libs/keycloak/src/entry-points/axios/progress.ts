import type { AxiosProgressEvent, AxiosRequestConfig } from 'axios';

type Direction = 'upload' | 'download';

export class Progress {
  #loaded = 0;

  constructor(
    private readonly listener: (event: AxiosProgressEvent) => void,
    private readonly direction: Direction,
  ) {}

  restart(): void {
    this.#loaded = 0;
  }

  add(bytes: number, length: unknown): void {
    this.#loaded += bytes;
    const loaded = this.#loaded;
    const total = /^\d+$/.test(String(length)) ? Number(length) : undefined;
    const known = total === undefined ? {} : { total, progress: total === 0 ? 1 : loaded / total };
    const event = { loaded, bytes, ...known, lengthComputable: total !== undefined, [this.direction]: true };
    // Calls the listener in the next tick, so that an error of the listener can't interrupt the code of the socket.
    process.nextTick(this.listener, event);
  }
}

export function progressOf(
  listener: AxiosRequestConfig['onUploadProgress'],
  direction: Direction,
): Progress | undefined {
  return typeof listener !== 'function' ? undefined : new Progress(listener, direction);
}
