/** Body validation: the one ValidationPipe of every service, and its answer that names each field at fault. */
import { BadRequestException, ValidationPipe, type ValidationError } from '@nestjs/common';

/** Refuses unknown fields, wrong types, and bodies that are no object; never converts one type to another. */
export function bodyValidation(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const faults = errors.flatMap(faultsOf);
      const error =
        faults.length === 0 ? 'Invalid body: it must be a JSON object' : `Invalid body: ${faults.join('; ')}`;
      return new BadRequestException({ error, code: 'invalid_body' });
    },
  });
}

function faultsOf({ constraints = {}, children = [], property }: ValidationError): string[] {
  const below = children.flatMap(faultsOf);
  return property === undefined ? below : [...Object.values(constraints), ...below];
}
