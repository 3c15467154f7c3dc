import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { canMakeCertificates, TestAuthority } from '../../spec-support/certificates.js';
import { CaFile, type CaFileEvent } from './ca-file.js';

const withOpenssl = canMakeCertificates ? describe : describe.skip;

withOpenssl('a file of certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ca-file-'));
  const path = join(folder, 'ca.pem');
  let one: TestAuthority;
  let other: TestAuthority;
  let events: CaFileEvent[];
  const onEvent = (event: CaFileEvent): void => void events.push(event);

  beforeAll(() => {
    [one, other] = [new TestAuthority('one'), new TestAuthority('other')];
  });
  afterAll(() => {
    for (const authority of [one, other]) authority.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    rmSync(path, { force: true });
    writeFileSync(path, one.certificate);
    events = [];
  });

  it.each<[string, () => string | Buffer | undefined, string]>([
    ['does not exist', () => undefined, "can't be read (ENOENT)"],
    ['is empty', () => ' \n', 'is empty'],
    ['contains another text', () => 'not a certificate', 'contains no certificate in PEM'],
    ['contains a certificate in DER', () => Buffer.from([0x30, 0x82, 1, 1]), 'contains no certificate in PEM'],
    ['contains an incomplete certificate', () => one.certificate.slice(0, 200), 'contains an incomplete certificate'],
    [
      'contains a second certificate that is cut off',
      () => one.certificate + other.certificate.slice(0, 200),
      'contains an incomplete certificate',
    ],
    [
      'contains an invalid certificate',
      () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      "contains a certificate that can't be parsed (ERR_OSSL_",
    ],
    ['is too large', () => `${one.certificate}${' '.repeat(1024 * 1024)}`, 'has more than 1048576 bytes'],
  ])('is rejected with a reason if it %s', (_, content, message) => {
    rmSync(path);
    const text = content();
    if (text !== undefined) writeFileSync(path, text);
    expect(() => CaFile.read(path)).toThrow(message);
  });

  it('may hold several certificates with text between the certificates', async () => {
    const text = `# the old one\n${one.certificate}# the new one\n${other.certificate}`;
    writeFileSync(path, text);
    expect(await CaFile.read(path).current(onEvent)).toBe(text);
    expect(events).toEqual([]);
  });

  it('is read again, so that appended certificates apply to the next connection', async () => {
    const file = CaFile.read(path);
    writeFileSync(path, one.certificate + other.certificate);
    expect(await file.current(onEvent)).toContain(other.certificate);
    await file.current(onEvent);
    expect(events).toEqual([{ kind: 'changed', certificates: 2 }]);
  });

  it('may be a symbolic link that is replaced, as in a mounted secret', async () => {
    const [first, second] = [join(folder, 'first.pem'), join(folder, 'second.pem')];
    writeFileSync(first, one.certificate);
    writeFileSync(second, other.certificate);
    rmSync(path);
    symlinkSync(first, path);
    const file = CaFile.read(path);
    symlinkSync(second, `${path}.new`);
    renameSync(`${path}.new`, path);
    expect(await file.current(onEvent)).toBe(other.certificate);
  });

  it.each<[string, () => void, string]>([
    ['is deleted', () => rmSync(path), "can't be read (ENOENT)"],
    ['is emptied', () => writeFileSync(path, ''), 'is empty'],
    ['is incomplete', () => writeFileSync(path, other.certificate.slice(0, 100)), 'contains an incomplete certificate'],
  ])('keeps its last content in use if the file %s', async (_, spoil, reason) => {
    const file = CaFile.read(path);
    spoil();
    expect([await file.current(onEvent), await file.current(onEvent)]).toEqual([one.certificate, one.certificate]);
    expect(events).toEqual([{ kind: 'kept', reason }]);
    writeFileSync(path, one.certificate);
    await file.current(onEvent);
    spoil();
    await file.current(onEvent);
    expect(events).toHaveLength(2);
  });

  it('is read once for concurrent connections', async () => {
    const file = CaFile.read(path);
    writeFileSync(path, other.certificate);
    const texts = await Promise.all(Array.from({ length: 20 }, () => file.current(onEvent)));
    expect(new Set(texts)).toEqual(new Set([other.certificate]));
    expect(events).toHaveLength(1);
  });
});
