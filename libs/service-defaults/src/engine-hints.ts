/** Prevents two wrong assumptions that V8 makes when a service starts (decision 38). */
import { executionAsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

/** The number of short-lived emitters, far more than a framework creates at the start. */
const EMITTERS = 1000;

const held = new Set<object>();

/** Call this function before the framework starts. */
export function giveEngineHints(): void {
  keepTicksFast();
  letListenersDieYoung();
}

/** If a full garbage collection at the start finds no tick object, V8 creates all later tick objects on a slow path. */
function keepTicksFast(): void {
  process.nextTick(() => {
    if (held.size === 0) held.add(executionAsyncResource());
  });
}

/**
 * The second listener of an event creates a list of listeners. If nearly all of the first lists are kept, V8 may
 * allocate all later lists as old objects. Each old list retains its answer until a full collection.
 */
function letListenersDieYoung(): void {
  const nothing = (): void => undefined;
  for (let n = 0; n < EMITTERS; n += 1) new EventEmitter().on('event', nothing).on('event', nothing);
}
