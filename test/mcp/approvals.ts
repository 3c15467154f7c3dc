import { Body, ConsoleLogger, Controller, Module, Post, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AllowClients, Caller, KeycloakModule, RequirePermission, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { SECRETS } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

export interface Approval {
  readonly id: string;
  readonly by: string | undefined;
  readonly client: string;
}

export interface ApprovalService {
  readonly url: string;
  readonly approved: Approval[];
  stop(): Promise<void>;
}

export async function startApprovals(issuer: string): Promise<ApprovalService> {
  const approved: Approval[] = [];

  @Controller('api/approvals')
  class ApprovalsController {
    @Post()
    @RequirePermission('orders.approve')
    @AllowClients('order-tools')
    approve(@Body() { id }: { id: string }, @Caller() caller: VerifiedAccessToken): Approval {
      const approval = { id, by: caller.username, client: caller.clientId };
      approved.push(approval);
      return approval;
    }
  }

  @Module({
    imports: [
      KeycloakModule.forRoot({
        issuer,
        clientId: 'service-b',
        clientSecret: SECRETS['service-b'],
        allowInsecureRequests: true,
      }),
    ],
    controllers: [ApprovalsController],
  })
  class ApprovalsModule {}

  const app = await NestFactory.create<INestApplication>(ApprovalsModule, {
    logger: new ConsoleLogger({ json: true }),
  });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), approved, stop: () => app.close() };
}
