/** describeRoutes(): the OpenAPI document of a service: its routes, what each demands, and the bodies that it takes. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { addKeycloakSecurity } from 'nestjs-keycloak-s2s/swagger';

export interface DescribedService {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** Throws as `addKeycloakSecurity()` does. */
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

/**
 * The schema of each DTO, of what class-validator checks: an annotation beside each of its decorators would say it twice, and would load
 * @nestjs/swagger with the service.
 */
function addBodies({ components: { schemas = {} } = {} }: OpenAPIObject): void {
  const validated = validationMetadatasToSchemas({ refPointerPrefix: '#/components/schemas/' });
  for (const name of Object.keys(schemas)) {
    // Unknown fields are refused.
    if (validated[name] !== undefined)
      Object.assign(schemas[name] ?? {}, validated[name], { additionalProperties: false });
  }
}
