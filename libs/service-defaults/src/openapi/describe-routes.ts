import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { addKeycloakSecurity } from 'nestjs-keycloak-s2s/swagger';

export interface DescribedService {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

export function describeRoutes(
  app: INestApplication,
  { name = 'service', version = 'dev' }: DescribedService,
): OpenAPIObject {
  // #region document
  const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').setTitle(name).setVersion(version).build();
  const document = addKeycloakSecurity(app, SwaggerModule.createDocument(app, config));
  // #endregion document
  addBodies(document);
  return document;
}

/** Uses class-validator, since Swagger's decorators would load @nestjs/swagger at the start. */
function addBodies({ components: { schemas = {} } = {} }: OpenAPIObject): void {
  const validated = validationMetadatasToSchemas({ refPointerPrefix: '#/components/schemas/' });
  for (const name of Object.keys(schemas)) {
    if (validated[name] !== undefined)
      Object.assign(schemas[name] ?? {}, validated[name], { additionalProperties: false });
  }
}
