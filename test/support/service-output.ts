import { TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

const asText = (chunk: string | Uint8Array): string =>
  typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();

/** All services in this process share one instance, which collects their output. */
export class ServiceOutput {
  static #current: ServiceOutput | undefined;

  readonly lines: string[] = [];
  readonly scanner: TokenLeakScanner;
  #users = 0;
  readonly #streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));

  private constructor() {
    for (const { stream, write } of this.#streams) {
      stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
        if (!asText(chunk).startsWith('{"level":')) return Reflect.apply(write, stream, [chunk, ...rest]) as boolean;
        this.lines.push(asText(chunk));
        return true;
      };
    }
    // The scanner starts last, so that it also reads the collected lines.
    this.scanner = TokenLeakScanner.start();
    for (const secret of Object.values(SECRETS)) this.scanner.addToken(secret);
  }

  static acquire(): ServiceOutput {
    ServiceOutput.#current ??= new ServiceOutput();
    ServiceOutput.#current.#users += 1;
    return ServiceOutput.#current;
  }

  /** @throws TokenLeakError at the last release, if the scanner found a token. */
  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    ServiceOutput.#current = undefined;
    this.scanner.stop();
    for (const { stream, write } of this.#streams) stream.write = write;
    this.scanner.assertNone();
  }
}
