import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isStrictJson } from './strict-json.js';

const strict = (text: string): boolean => isStrictJson(Buffer.from(text));

describe('isStrictJson (RS-15)', () => {
  it.each([
    '{"active":true,"aud":["a","b"],"nested":{"active":false}}',
    '[{"a":1},{"a":2}]',
    '{"a":"a","b":"b:\\"a\\":"}',
    '{"":0,"constructor":1}',
    '"text"',
    'null',
    ' {"a" : 1} \n',
    `${'['.repeat(32)}${']'.repeat(32)}`,
    '{"a":"{[:","b":"\\\\","c":"\\""}',
  ])('accepts %s', (text) => {
    expect(strict(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['truncated JSON', '{"active":true'],
    ['two values', '{}{}'],
    ['a comment', '{/* */}'],
    ['a trailing comma', '{"a":1,}'],
    ['an HTML page', '<html>'],
    ['a duplicate name', '{"active":false,"active":true}'],
    ['a duplicate name, once escaped', '{"active":false,"\\u0061ctive":true}'],
    ['a duplicate name after a nested object', '{"a":{"b":1},"a":2}'],
    ['a duplicate name in a nested object', '{"x":[{"a":1,"a":1}]}'],
    ['__proto__', '{"__proto__":{"active":true}}'],
    ['an escaped __proto__ in a nested object', '{"a":[{"\\u005f_proto__":1}]}'],
    ['a duplicate name after a string of signs', '{"a":"\\\\","b":"{[:","a":1}'],
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['100,000 levels', `${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}`],
    ['a byte order mark', '\uFEFF{}'],
  ])('rejects %s', (_case, text) => {
    expect(strict(text)).toBe(false);
  });

  it('rejects encodings other than UTF-8', () => {
    expect(isStrictJson(Buffer.from('{"name":"é"}', 'latin1'))).toBe(false);
    expect(isStrictJson(Buffer.from('{"name":"é"}', 'utf16le'))).toBe(false);
    expect(isStrictJson(Buffer.from('{"name":"é"}'))).toBe(true);
  });

  it('accepts any output of JSON.stringify, and rejects the same output with a duplicate member', () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(value, fc.jsonValue({ maxDepth: 2 }), (object, other) => {
        const text = JSON.stringify(object);
        fc.pre(!text.includes('__proto__'));
        expect(strict(text)).toBe(true);
        const [name] = Object.keys(object);
        expect(strict(`${text.slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(other)}}`)).toBe(false);
      }),
    );
  });
});
