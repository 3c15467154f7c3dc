import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { formBody } from './form-body.js';

const boundaryOf = (contentType: string | null): string => String(contentType?.split('boundary=')[1]);

async function encoded(form: FormData): Promise<{ ours: string; platforms: string; length: number }> {
  const ours = formBody(form);
  const platforms = new Response(form);
  const mark = (bytes: Buffer, contentType: string | null): string =>
    bytes.toString().replaceAll(boundaryOf(contentType), '[boundary]');
  return {
    ours: mark(await buffer(ours.open()), ours.contentType),
    // Node 22.12 omits the line break after the last boundary.
    platforms: mark(Buffer.from(await platforms.clone().arrayBuffer()), platforms.headers.get('content-type')).replace(
      /--\[boundary\]--$/,
      '--[boundary]--\r\n',
    ),
    length: ours.length,
  };
}

describe('formBody', () => {
  it.each<[string, (form: FormData) => void]>([
    ['with nothing', () => undefined],
    ['with two texts that have the same name', (form) => (form.append('a', '1'), form.append('a', 'ä€😀'))],
    ['with line breaks of all kinds', (form) => form.append('a\nb\rc\r\nd', 'a\nb\rc\r\nd')],
    ['with names that would end the header', (form) => form.append('a"; filename="b', 'c')],
    ['with a file', (form) => form.append('a', new File(['text'], 'n\n"ä.txt', { type: 'text/plain' }))],
    ['with a blob without a type', (form) => form.append('a', new Blob(['text']))],
    ['with files between texts', (form) => (form.append('a', new Blob([]), 'a'), form.append('b', ''))],
  ])('encodes a form exactly as fetch does: a form %s', async (_, fill) => {
    const form = new FormData();
    fill(form);
    const { ours, platforms, length } = await encoded(form);
    expect(ours).toBe(platforms);
    const { contentType, open } = formBody(form);
    expect(await buffer(open())).toHaveLength(length);
    expect([
      ...(
        await new Response(ours.replaceAll('[boundary]', boundaryOf(contentType)), {
          headers: { 'content-type': contentType },
        }).formData()
      ).keys(),
    ]).toHaveLength([...form].length);
  });

  it('returns equal bytes for each attempt, even if the form has changed meanwhile', async () => {
    const form = new FormData();
    form.append('a', new Blob(['text']), 'a.txt');
    const { open } = formBody(form);
    form.append('b', 'later');
    const first = await buffer(open());
    expect(first.toString()).not.toContain('later');
    expect(await buffer(open())).toEqual(first);
  });
});
