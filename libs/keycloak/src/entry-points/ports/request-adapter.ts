/** The port for doors that bring credentials out of other contexts than HTTP. */
export { BearerError } from '../../protocol/bearer-error.js';
export { refusedEvent } from '../../resource-server/transport.exception.js';
