import { Module } from '@nestjs/common';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { AppController } from './app.controller.js';
import { AppService } from './app.service.js';
import { StockController } from './stock.controller.js';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

@Module({
  imports: [
    KeycloakModule.forRootAsync({
      useFactory: () => ({
        issuer: required('KEYCLOAK_ISSUER'),
        clientId: 'inventory',
        clientSecret: required('KEYCLOAK_CLIENT_SECRET'),
        allowInsecureRequests: process.env.NODE_ENV === 'development',
      }),
    }),
  ],
  controllers: [AppController, StockController],
  providers: [AppService],
})
export class AppModule {}
