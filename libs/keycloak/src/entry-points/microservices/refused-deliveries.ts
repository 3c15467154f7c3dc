export interface RabbitMqDelivery {
  getChannelRef(): { nack(message: unknown, allUpTo: boolean, requeue: boolean): void };
  getMessage(): object;
}

const PAUSE_MS = 1000;

/** Several handlers may refuse one message, but a second `nack` would close the channel. */
const rejected = new WeakSet<object>();

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
    // If the channel is closed, RabbitMQ redelivers the message by itself.
  }
}
