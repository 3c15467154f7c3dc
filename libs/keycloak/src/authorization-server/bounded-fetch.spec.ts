import { describe, expect, it } from '@jest/globals';
import { growthOf, LINEAR } from '../../spec-support/growth.js';
import { isJson } from './bounded-fetch.js';

describe('the content type of a response', () => {
  it.each([
    ['application/json', true],
    ['application/json;charset=UTF-8', true],
    ['application/json ; charset="utf-8" ', true],
    ['application/json  ', true],
    ['application/json; charset=latin1', false],
    ['application/json;', false],
    ['application/jsonp', false],
    ['text/html', false],
    [undefined, false],
  ])('%s counts as JSON: %s (RS-15)', (type, expected) => {
    expect(isJson(type)).toBe(expected);
  });

  it('is checked in linear time', () => {
    expect(growthOf(isJson, (length) => `application/json${' '.repeat(length)}x`)).toBeLessThan(LINEAR);
  });
});
