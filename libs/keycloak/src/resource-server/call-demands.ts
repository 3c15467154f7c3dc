import { BearerError } from '../protocol/bearer-error.js';
import type { RouteAccess } from './route-access.js';

export const routeClosed = ({ fault }: Pick<RouteAccess, 'fault'>): BearerError =>
  new BearerError('route_closed', { reason: fault === undefined ? 'no_decorator_opens_it' : 'access_unclear' });

export const withoutAdapter = (kind: string): BearerError =>
  new BearerError('route_closed', { reason: 'context_without_carrier', fields: { kind } });

export const missingToken = (): BearerError => new BearerError('missing_token', { reason: 'no_credentials' });
