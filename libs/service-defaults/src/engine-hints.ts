/** Engine hints: two things that V8 takes for granted from what it sees at the start of a service, and that are wrong for its life (decision 38). */
import { executionAsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

/** Far more than a framework makes at the start, so that those are few among them. */
const EMITTERS = 1000;

const held = new Set<object>();

/** To be called before the framework starts; a second time changes nothing. */
export function giveEngineHints(): void {
  keepTicksFast();
  letListenersDieYoung();
}

/**
 * Node makes an object for each tick. V8 forgets what such an object looks like when a full garbage collection finds none, as one at the start does, and
 * then makes them the slow way for as long as the process lives. One that is held is always found.
 */
function keepTicksFast(): void {
  process.nextTick(() => {
    if (held.size === 0) held.add(executionAsyncResource());
  });
}

/**
 * The second listener of an event makes a list of listeners. Of a hundred such lists that a framework makes at the start nearly all are kept, after which V8
 * may put all later ones among the old objects. There each keeps its answer, with all headers, until a full collection.
 */
function letListenersDieYoung(): void {
  const nothing = (): void => undefined;
  for (let n = 0; n < EMITTERS; n += 1) new EventEmitter().on('event', nothing).on('event', nothing);
}
