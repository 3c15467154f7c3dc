import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { GraphQLModule, Mutation, Query, Resolver } from '@nestjs/graphql';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, expect, it } from '@jest/globals';
import { AskedIntrospections } from '../../spec-support/asked-introspections.js';
import { bearerOf } from '../../spec-support/refusal-table.js';
import { graphqlRequestAdapter } from '../entry-points/graphql/index.js';
import { MaxIntrospectionAge, Public, RequirePermission, verifiedTokenOf } from '../index.js';
import { KeycloakTestingModule } from '../testing/index.js';

const found: (string | undefined)[] = [];

@Injectable()
class Finder implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { req } = context.getArgByIndex<{ req: object }>(2);
    found.push(`${context.getHandler().name}: ${verifiedTokenOf(req)?.clientId ?? 'nobody'}`);
    return next.handle();
  }
}

/** GraphQL runs the mutations of one request in sequence. */
@Resolver()
class Orders {
  @Query(() => String)
  @Public()
  status(): string {
    return 'up';
  }
  @Mutation(() => String, { nullable: true })
  @RequirePermission('admin')
  @MaxIntrospectionAge({ seconds: 0 })
  adminOnly(): string {
    return 'admin data';
  }
  @Mutation(() => String, { nullable: true })
  @RequirePermission('orders.read')
  @MaxIntrospectionAge({ seconds: 0 })
  own(): string {
    return 'own';
  }
  @Mutation(() => String)
  @Public()
  open(): string {
    return 'open';
  }
}

let app: INestApplication;
afterEach(async () => {
  found.length = 0;
  await app.close();
});

async function mutate(text: string): Promise<{ data: unknown; asked: number }> {
  const imports = [
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
    KeycloakTestingModule.forRoot({ requestAdapters: [graphqlRequestAdapter()] }),
  ];
  const providers = [Orders, { provide: APP_INTERCEPTOR, useClass: Finder }];
  const module = await Test.createTestingModule({ imports, providers })
    .setLogger({ log: () => {}, warn: () => {}, error: () => {} })
    .compile();
  app = module.createNestApplication(new ExpressAdapter());
  await app.listen(0, '127.0.0.1');
  const asked = new AskedIntrospections();
  const answer = await fetch(new URL('/graphql', await app.getUrl()), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: bearerOf(app) },
    body: JSON.stringify({ query: `mutation { ${text} }` }),
  });
  asked.stop();
  return { data: Object(await answer.json()).data as unknown, asked: asked.count };
}

it('verifiedTokenOf returns undefined if the handler of another field refused the token (RS-20)', async () => {
  expect(await mutate('adminOnly open')).toEqual({ data: { adminOnly: null, open: 'open' }, asked: 1 });
  expect(found).toEqual(['open: nobody']);
});

it("verifiedTokenOf returns the token accepted by another field's handler, without a second introspection", async () => {
  expect(await mutate('adminOnly own open')).toEqual({ data: { adminOnly: null, own: 'own', open: 'open' }, asked: 1 });
  expect(found).toEqual(['own: shop', 'open: shop']);
});
