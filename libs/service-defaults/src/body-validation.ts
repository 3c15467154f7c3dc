/** Body validation: the pipe that every service uses; its answer names each invalid field. */
import { BadRequestException, ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';

/** Refuses unknown fields, wrong types, and bodies that are not objects. It never converts one type to another. */
export class BodyValidation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
      exceptionFactory: (errors) => invalidBody(errors.flatMap(faultsOf)),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type !== 'body') return super.transform(value, metadata) as unknown;
    checkNames(value);
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      // The validator is recursive, so a deeply nested value overflows the stack.
      if (error instanceof RangeError) throw invalidBody(['it is nested too deeply']);
      throw error;
    }
  }
}

/** Refuses the names that every object inherits (`constructor`, …): the validator would take them for known fields. */
function checkNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const name = Object.keys(value).find((key) => key in Object.prototype);
  if (name !== undefined) throw invalidBody([`property ${name} should not exist`]);
}

function invalidBody(faults: readonly string[]): BadRequestException {
  const what = faults.length === 0 ? 'it must be a JSON object' : faults.join('; ');
  return new BadRequestException({ error: `Invalid body: ${what}`, code: 'invalid_body' });
}

function faultsOf({ constraints = {}, children = [], property }: ValidationError): string[] {
  const below = children.flatMap(faultsOf);
  return property === undefined ? below : [...Object.values(constraints), ...below];
}
