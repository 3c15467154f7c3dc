import { Field, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Caller, Public, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

@ObjectType()
export class Order {
  @Field(() => Int)
  number!: number;
}

// #region resolver
@Resolver(() => Order)
export class OrdersResolver {
  @Query(() => [Order])
  @RequirePermission('orders.read')
  orders(@Caller() caller: VerifiedAccessToken): Order[] {
    return caller.clientId === 'shop' ? [{ number: 1 }] : [];
  }

  @ResolveField(() => Int)
  @RequirePermission('orders.price')
  price(@Parent() { number }: Order): number {
    return 100 * number;
  }

  @ResolveField(() => String)
  @Public() // every caller that the query accepts may read this field
  label(@Parent() { number }: Order): string {
    return `Order ${number}`;
  }
}
// #endregion resolver
