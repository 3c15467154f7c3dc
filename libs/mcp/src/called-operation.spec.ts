import { describe, expect, it } from '@jest/globals';
import { calledOperation } from './called-operation.js';

describe('calledOperation', () => {
  it.each([
    ['tools/call', { name: 'approve' }, { kind: 'tool', name: 'approve' }],
    ['prompts/get', { name: 'greeting' }, { kind: 'prompt', name: 'greeting' }],
    ['resources/read', { uri: 'orders://open' }, { kind: 'resource', name: 'orders://open' }],
  ])('reads the called handler of %s', (method, params, operation) => {
    expect(calledOperation({ jsonrpc: '2.0', id: 1, method, params })).toEqual(operation);
  });

  it.each([
    ['no body', undefined],
    ['a text', 'tools/call'],
    ['null', null],
    ['a batch', [{ method: 'tools/call', params: { name: 'approve' } }]],
    ['another method', { method: 'tools/list', params: { name: 'approve' } }],
    ['a method that objects inherit', { method: 'constructor', params: { name: 'approve' } }],
    ['a method that is no text', { method: ['tools/call'], params: { name: 'approve' } }],
    ['no parameters', { method: 'tools/call' }],
    ['a name that is no text', { method: 'tools/call', params: { name: ['approve'] } }],
  ])('finds no handler in %s', (_, body) => {
    expect(calledOperation(body)).toBeUndefined();
  });
});
