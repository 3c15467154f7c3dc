import type { MigratedFile } from './migrated-file.js';
import { callOf, type Syntax } from './syntax.js';

const ROUTES = ['Get', 'Post', 'Put', 'Patch', 'Delete', 'All', 'Options', 'Head', 'Search', 'Sse'];
const ROUTES_OF_WEBDAV = ['Propfind', 'Proppatch', 'Mkcol', 'Copy', 'Move', 'Lock', 'Unlock'];
const FIELDS = ['Query', 'Mutation', 'Subscription', 'ResolveField', 'ResolveReference', 'ResolveProperty'];
const MESSAGES = ['MessagePattern', 'EventPattern', 'GrpcMethod', 'GrpcStreamMethod', 'GrpcStreamCall'];

export type HandlerKind = 'request' | 'message';

export function handlerKind(file: MigratedFile, method: Syntax): HandlerKind | undefined {
  const kinds = method.decorators.map((decorator): HandlerKind | undefined => {
    const callee = callOf(decorator)?.callee;
    const isOf = (module: string, names: readonly string[]): boolean =>
      names.includes(file.nameIn(`@nestjs/${module}`, callee) ?? '');
    if (isOf('common', [...ROUTES, ...ROUTES_OF_WEBDAV]) || isOf('graphql', FIELDS)) return 'request';
    return isOf('microservices', MESSAGES) || isOf('websockets', ['SubscribeMessage']) ? 'message' : undefined;
  });
  return kinds.find((kind) => kind === 'message') ?? kinds.find((kind) => kind !== undefined);
}

export function isHandlerClass(file: MigratedFile, node: Syntax): boolean {
  return node.decorators.some((decorator) => {
    const callee = callOf(decorator)?.callee;
    return (
      file.nameIn('@nestjs/common', callee) === 'Controller' ||
      file.nameIn('@nestjs/graphql', callee) === 'Resolver' ||
      file.nameIn('@nestjs/websockets', callee) === 'WebSocketGateway'
    );
  });
}
