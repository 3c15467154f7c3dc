/** Engine hints: corrects two assumptions that V8 makes at the start of a service and keeps (decision 38). */
import { executionAsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

/** Far more than a framework creates at the start, so that these outweigh them. */
const EMITTERS = 1000;

const held = new Set<object>();

/** Call it before the framework starts. */
export function giveEngineHints(): void {
  keepTicksFast();
  letListenersDieYoung();
}

/**
 * Node creates an object for each tick. If a full garbage collection at the start finds none, V8 creates the later ones
 * on a slow path for the life of the process. So one of them is kept alive.
 */
function keepTicksFast(): void {
  process.nextTick(() => {
    if (held.size === 0) held.add(executionAsyncResource());
  });
}

/**
 * The second listener of an event creates a list of listeners. A framework creates a hundred lists at the start, and
 * keeps nearly all, after which V8 may allocate all later lists as old objects. Each of those retains its answer until
 * a full collection.
 */
function letListenersDieYoung(): void {
  const nothing = (): void => undefined;
  for (let n = 0; n < EMITTERS; n += 1) new EventEmitter().on('event', nothing).on('event', nothing);
}
