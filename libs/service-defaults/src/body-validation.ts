import {
  BadRequestException,
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
  type Type,
  type ValidationError,
} from '@nestjs/common';
import { FlatBody } from './flat-body.js';

/** Refuses unknown fields and bodies that are not objects, and never converts types. */
export class BodyValidation implements PipeTransform {
  readonly #validation = new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => invalidBody(errors.flatMap(faultsOf)),
  });
  readonly #flatBodies = new Map<Type, FlatBody | undefined>();

  /** Returns the accepted body, synchronously if class-validator is not needed (perf: limit). */
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    // Values of custom decorators do not come from the request body.
    if (metadata.type === 'custom') return value;
    if (metadata.type !== 'body') return this.#validation.transform(value, metadata);
    const accepted = metadata.metatype && this.#flatBody(metadata.metatype)?.accepted(value);
    return accepted ?? this.#validated(value, metadata);
  }

  #flatBody(bodyClass: Type): FlatBody | undefined {
    if (!this.#flatBodies.has(bodyClass)) this.#flatBodies.set(bodyClass, FlatBody.of(bodyClass));
    return this.#flatBodies.get(bodyClass);
  }

  async #validated(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    checkNames(value);
    try {
      return (await this.#validation.transform(value, metadata)) as unknown;
    } catch (error) {
      // The validator is recursive, so a deeply nested value overflows the stack.
      if (error instanceof RangeError) throw invalidBody(['it is nested too deeply']);
      throw error;
    }
  }
}

/** Refuses inherited names (`constructor`, …), since the validator would accept such a name as a known field. */
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
