/** Refused deliveries: does away with messages of RabbitMQ that no handler acknowledges, since none ran. */
import { rabbitMqDelivery, type RabbitMqDelivery } from './received-headers.js';

/** Before a message that could not be judged is delivered again. */
const PAUSE_MS = 1000;

/** Several handlers of one event may each refuse it; a second `nack` would close the channel. */
const rejected = new WeakSet<object>();

/** Rejects a message whose token is bad. One that could not be judged, since our own side failed, goes back into its queue after a pause. */
export function rejectDelivery(context: unknown, status: number): void {
  const delivery = rabbitMqDelivery(context);
  if (delivery === undefined || rejected.has(delivery.getMessage())) return;
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
