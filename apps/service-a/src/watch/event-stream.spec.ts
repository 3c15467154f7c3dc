import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { EventStream } from './event-stream.js';

describe('a stream of events', () => {
  it('contains each event with a name and with the lines of the text', async () => {
    const stream = new EventStream();
    stream.send('state', '<p>\n  one\r\n</p>');
    stream.send('end', '');
    stream.end();
    stream.send('state', 'too late');
    stream.end();
    expect(await text(stream.body)).toBe('event: state\ndata: <p>\ndata:   one\ndata: </p>\n\nevent: end\ndata: \n\n');
  });

  it('ends if the browser does not read the stream', async () => {
    const stream = new EventStream();
    const closed = once(stream.body, 'close');
    for (let kilobytes = 0; kilobytes < 512; kilobytes += 1) stream.send('state', 'x'.repeat(1024));
    await closed;
    expect(stream.body.destroyed).toBe(true);
  });
});
