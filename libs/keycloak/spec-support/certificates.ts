import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from '../../../scripts/common/installed.mjs';

export const canMakeCertificates = installed('openssl') !== undefined;

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
  readonly keyFile: string;
  readonly certFile: string;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'authority-'));
  readonly #own: KeyPair;
  #made = 0;

  constructor(readonly name = 'house-authority') {
    const constraints = ['-addext', 'basicConstraints=critical,CA:true', '-addext', 'keyUsage=keyCertSign'];
    this.#own = this.#pair((key, cert) => {
      openssl(
        'req',
        '-x509',
        ...CURVE,
        '-subj',
        `/CN=${name}`,
        '-days',
        '2',
        ...constraints,
        '-keyout',
        key,
        '-out',
        cert,
      );
    });
  }

  get certificate(): string {
    return this.#own.cert;
  }

  caFile(...others: readonly TestAuthority[]): string {
    const path = join(this.#folder, `ca-${(this.#made += 1)}.pem`);
    writeFileSync(path, [this.certificate, ...others.map(({ certificate }) => certificate)].join('\n'));
    return path;
  }

  issue(host = 'DNS:localhost', { expired = false, digest = 'sha256' } = {}): KeyPair {
    const dates = expired ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', '1'];
    return this.#pair((key, cert) => {
      const request = `${cert}.csr`;
      openssl(
        'req',
        ...CURVE,
        '-subj',
        '/CN=server',
        '-addext',
        `subjectAltName=${host}`,
        '-keyout',
        key,
        '-out',
        request,
      );
      const signed = ['-cert', this.#own.certFile, '-keyfile', this.#own.keyFile, '-md', digest, '-notext'];
      openssl('ca', '-batch', '-config', this.#configuration(), ...signed, ...dates, '-in', request, '-out', cert);
    });
  }

  selfSigned(host = 'DNS:localhost'): KeyPair {
    return this.#pair((key, cert) => {
      openssl(
        'req',
        '-x509',
        ...CURVE,
        '-subj',
        '/CN=localhost',
        '-addext',
        `subjectAltName=${host}`,
        '-days',
        '1',
        '-keyout',
        key,
        '-out',
        cert,
      );
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Old OpenSSL versions can set both dates only with `openssl ca`. */
  #configuration(): string {
    const database = join(this.#folder, 'index.txt');
    const path = join(this.#folder, 'openssl.cnf');
    writeFileSync(database, '');
    const settings = {
      database,
      new_certs_dir: this.#folder,
      default_md: 'sha256',
      copy_extensions: 'copy',
      policy: 'any',
      rand_serial: 'yes',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(
      path,
      ['[ca]', 'default_ca = own', '[own]', ...lines, '[any]', 'commonName = supplied', ''].join('\n'),
    );
    return path;
  }

  #pair(make: (keyFile: string, certFile: string) => void): KeyPair {
    this.#made += 1;
    const [keyFile, certFile] = [join(this.#folder, `${this.#made}.key`), join(this.#folder, `${this.#made}.crt`)];
    make(keyFile, certFile);
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), keyFile, certFile };
  }
}

const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
