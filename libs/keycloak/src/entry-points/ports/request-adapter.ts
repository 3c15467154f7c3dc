export { BearerError } from '../../protocol/bearer-error.js';
export { refusedEvent } from '../../resource-server/transport.exception.js';
