import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export class CaFileError extends Error {}

/** `kept`: the file is unusable, so new connections use the last usable content. */
export type CaFileEvent =
  { readonly kind: 'changed'; readonly certificates: number } | { readonly kind: 'kept'; readonly reason: string };

const MAX_BYTES = 1024 * 1024;

/**
 * A file of certificates (RFC 7468). The file is reread and not watched, because a mounted secret changes through a
 * symbolic link.
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

  static read(path: string): CaFile {
    const text = textOf(() => readFileSync(path));
    countCertificates(text);
    return new CaFile(path, text);
  }

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

/** The error omits the path, because a user may have given a secret instead of a path by mistake. */
const unreadable = (error: unknown): CaFileError => new CaFileError(`can't be read (${codeOf(error)})`);

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export function faultOfCertificates(text: string): string | undefined {
  try {
    countCertificates(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof CaFileError)) throw error;
    return error.message;
  }
}

/** Rejects a truncated certificate, so that a half-written file is not used. */
function countCertificates(text: string): number {
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  const certificates = text.match(CERTIFICATE) ?? [];
  if (begun === 0) throw new CaFileError('contains no certificate in PEM');
  if (certificates.length !== begun) throw new CaFileError('contains an incomplete certificate');
  for (const certificate of certificates) parsed(certificate);
  return begun;
}

function parsed(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    throw new CaFileError(`contains a certificate that can't be parsed (${codeOf(error)})`);
  }
}

/** `instanceof Error` is not used, because Node's errors come from another JavaScript realm under Jest. */
const codeOf = (error: unknown): string => String((Object(error) as { readonly code?: unknown }).code ?? 'unknown');
