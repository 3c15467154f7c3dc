/** Refused deliveries: rejects messages of RabbitMQ that no handler acknowledges, since none ran. */

/** The parts of Nest's `RmqContext` that are used. */
export interface RabbitMqDelivery {
  getChannelRef(): { nack(message: unknown, allUpTo: boolean, requeue: boolean): void };
  getMessage(): object;
}

/** The pause before a message that could not be judged is delivered again. */
const PAUSE_MS = 1000;

/** Several handlers of one event may each refuse it; a second `nack` would close the channel. */
const rejected = new WeakSet<object>();

/** Rejects a message whose token is bad. One that could not be judged, since our own side failed, goes back into its queue after a pause. */
export function rejectDelivery(delivery: RabbitMqDelivery, status: number): void {
  if (rejected.has(delivery.getMessage())) return;
  rejected.add(delivery.getMessage());
  if (status < 500) nack(delivery, false);
  else setTimeout(() => nack(delivery, true), PAUSE_MS).unref();
}

function nack(delivery: RabbitMqDelivery, requeue: boolean): void {
  try {
    delivery.getChannelRef().nack(delivery.getMessage(), false, requeue);
  } catch {
    // The channel was closed meanwhile, and RabbitMQ has the message again.
  }
}
