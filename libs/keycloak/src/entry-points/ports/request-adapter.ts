/** The port for entry points that read credentials from contexts other than HTTP. */
export { BearerError } from '../../protocol/bearer-error.js';
export { refusedEvent } from '../../resource-server/transport.exception.js';
