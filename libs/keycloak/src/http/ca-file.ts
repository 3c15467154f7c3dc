/** CaFile: the certificates of the authorities that one server is trusted by, in a file that is read again for new connections. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Why a file can't be used: the end of a sentence about it, with a code of the system or of OpenSSL, and nothing of what is in it. */
export class CaFileError extends Error {}

/** `changed`: new connections use the new content. `kept`: it can't be used (`reason`), and new connections use the last one that could. */
export type CaFileEvent =
  { readonly kind: 'changed'; readonly certificates: number } | { readonly kind: 'kept'; readonly reason: string };

/** A certificate has some 2 KB, and a system's whole list 250 KB. */
const MAX_BYTES = 1024 * 1024;

/**
 * PEM (RFC 7468): one or more certificates; what stands between them is ignored. Nothing watches the file: a mounted secret changes by a
 * symbolic link, which a watcher of the file does not see.
 */
export class CaFile {
  #text: string;
  #isKept = false;
  #reading: Promise<void> | undefined;

  private constructor(
    readonly path: string,
    text: string,
  ) {
    this.#text = text;
  }

  /** Reads the file now. Throws `CaFileError`. */
  static read(path: string): CaFile {
    const text = textOf(() => readFileSync(path));
    countCertificates(text);
    return new CaFile(path, text);
  }

  /**
   * What the file holds now or, where that can't be used, what it held last. Does not throw. `onEvent` is called once for each change of either
   * kind.
   */
  async current(onEvent: (event: CaFileEvent) => void): Promise<string> {
    await (this.#reading ??= this.#readAgain(onEvent).finally(() => (this.#reading = undefined)));
    return this.#text;
  }

  async #readAgain(onEvent: (event: CaFileEvent) => void): Promise<void> {
    try {
      const bytes = await readFile(this.path).catch((error: unknown) => {
        throw unreadable(error);
      });
      const text = textOf(() => bytes);
      const certificates = text === this.#text ? undefined : countCertificates(text);
      this.#text = text;
      this.#isKept = false;
      if (certificates !== undefined) onEvent({ kind: 'changed', certificates });
    } catch (error) {
      if (!(error instanceof CaFileError)) throw error;
      if (!this.#isKept) onEvent({ kind: 'kept', reason: error.message });
      this.#isKept = true;
    }
  }
}

function textOf(read: () => Buffer): string {
  let bytes: Buffer;
  try {
    bytes = read();
  } catch (error) {
    throw unreadable(error);
  }
  if (bytes.length > MAX_BYTES) throw new CaFileError(`has more than ${MAX_BYTES} bytes`);
  const text = bytes.toString('latin1');
  if (text.trim() === '') throw new CaFileError('is empty');
  return text;
}

/** The code alone: the path may be what was meant to be a secret. */
const unreadable = (error: unknown): CaFileError => new CaFileError(`can't be read (${codeOf(error)})`);

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** What is wrong with a text that must hold certificates in PEM, if anything is: the end of a sentence about it, with nothing of what is in it. */
export function faultOfCertificates(text: string): string | undefined {
  try {
    countCertificates(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof CaFileError)) throw error;
    return error.message;
  }
}

/** Each is parsed, and none may be cut off: a file that is being written is not taken. */
function countCertificates(text: string): number {
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  const certificates = text.match(CERTIFICATE) ?? [];
  if (begun === 0) throw new CaFileError('holds no certificate in PEM');
  if (certificates.length !== begun) throw new CaFileError('holds a certificate that is cut off');
  for (const certificate of certificates) parsed(certificate);
  return begun;
}

function parsed(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    throw new CaFileError(`holds a certificate that can't be parsed (${codeOf(error)})`);
  }
}

/** Not `instanceof Error`: where tests run, Node's errors are of another realm. */
const codeOf = (error: unknown): string => String((Object(error) as { readonly code?: unknown }).code ?? 'unknown');
