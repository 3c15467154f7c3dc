import { describe, expect, it } from '@jest/globals';
import { ValidationPipe, type Type } from '@nestjs/common';
import { Exclude, Expose, Transform, Type as TypeOf } from 'class-transformer';
import {
  Allow,
  ArrayNotEmpty,
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
  type ValidationArguments,
} from 'class-validator';
import fc from 'fast-check';
import { BodyValidation } from './body-validation.js';
import { FlatBody } from './flat-body.js';

class Order {
  @IsInt()
  @Min(1)
  @Max(3)
  id!: number;

  @IsString()
  @Length(1, 2)
  name!: string;
}

class UrgentOrder extends Order {
  @IsBoolean()
  isUrgent!: boolean;
}

class Choice {
  @IsOptional()
  @IsIn(['a', 'b'])
  which?: string;

  @IsOptional()
  @IsNumber({ allowNaN: false })
  much?: number;

  @Allow()
  anything?: unknown;
}

class Nested {
  @ValidateNested()
  @TypeOf(() => Order)
  order!: Order;
}
class Each {
  @IsInt({ each: true })
  ids!: number[];
}
class Grouped {
  @IsInt({ groups: ['admin'] })
  id!: number;
}
class Conditional {
  @IsInt({ validateIf: () => false })
  id!: number;
}
class Transformed {
  @Transform(({ value }) => (value as number) + 1)
  @IsInt()
  id!: number;
}
class Typed {
  @TypeOf(() => Number)
  @IsInt()
  id!: number;
}
class Renamed {
  @Expose({ name: 'ID' })
  @IsInt()
  id!: number;
}
class Hidden {
  @Exclude()
  @IsInt()
  id!: number;
}
@Exclude()
class AllHidden {
  @IsInt()
  id!: number;
}
class Filled {
  @IsInt()
  id = 7;
}
class WithSetter {
  #id = 0;

  @IsInt()
  get id(): number {
    return this.#id;
  }

  set id(value: number) {
    this.#id = value;
  }
}
class Inherited {
  @Allow()
  override!: string;

  @IsInt()
  toString!: never;
}
class Without {
  id!: number;
}
let asked = 0;
@ValidatorConstraint()
class Exists {
  async validate(value: unknown): Promise<boolean> {
    asked += 1;
    await Promise.resolve();
    if (value === 2) throw new Error('out of reach');
    return true;
  }
}
class Looked {
  @Validate(Exists)
  id!: number;
}
class Trimmed {
  @Rule((value, object) => {
    object['name'] = String(value).trim();
    return true;
  })
  name!: string;
}
class Defaulted {
  @ValidateIf((object: Defaulted) => {
    if (object.role === '') object.role = 'guest';
    return true;
  })
  @IsString()
  role!: string;
}
class NamedPrototype {
  @IsInt()
  prototype!: number;
}
class Demanded {
  @IsDefined()
  id!: number;
}
class Listed {
  @ArrayNotEmpty()
  ids!: number[];
}

function Rule(validate: (value: unknown, object: Record<string, unknown>) => boolean): PropertyDecorator {
  return (target, propertyName) => {
    const validator = {
      validate: (value: unknown, given?: ValidationArguments) =>
        validate(value, given?.object as Record<string, unknown>),
    };
    registerDecorator({
      name: 'own',
      target: target.constructor,
      propertyName: String(propertyName),
      options: {},
      validator,
    });
  };
}

const nest = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
const ours = new BodyValidation();

async function outcome(pipe: Pick<BodyValidation, 'transform'>, metatype: Type, body: unknown): Promise<unknown> {
  try {
    return { accepted: await pipe.transform(structuredClone(body), { type: 'body', metatype }) };
  } catch {
    return 'refused';
  }
}

const values = fc.oneof(
  fc.integer({ min: -1, max: 4 }),
  fc.double(),
  fc.constantFrom('', 'a', 'ab', 'abc', true, false, null, undefined, [], [1], {}, NaN, Infinity, '1'),
);
const names = fc.constantFrom('id', 'name', 'isUrgent', 'which', 'much', 'anything', 'more', 'toString');
const bodies = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(names, values, { noNullPrototype: true }) },
  { weight: 8, arbitrary: fc.record({ id: values, name: values }, { noNullPrototype: true }) },
  {
    weight: 8,
    arbitrary: fc.record({ which: values, much: values, anything: values }, { noNullPrototype: true }),
  },
  values,
);

describe('a flat body', () => {
  it.each([Order, UrgentOrder, Choice, Demanded])(
    "has the result of Nest's ValidationPipe for the class $name (RS-24)",
    async (of) => {
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          // `BodyValidation` refuses inherited names such as `toString` before Nest validates the body.
          fc.pre(typeof body !== 'object' || body === null || !Object.hasOwn(body, 'toString'));
          expect(await outcome(ours, of, body)).toEqual(await outcome(nest, of, body));
        }),
        { numRuns: 400 },
      );
    },
  );

  it.each<[Type<object>, object]>([
    [Order, { id: 1, name: 'a' }],
    [UrgentOrder, { id: 3, name: 'ab', isUrgent: false }],
    [Choice, { which: 'a', much: 2, anything: 'x' }],
    [Demanded, { id: 0 }],
  ])('is accepted without class-validator: %p %p', (of, body) => {
    expect(FlatBody.of(of)?.accepted(body)).toEqual(body);
  });

  it.each<[string, unknown]>([
    ['a field of another type', { id: '1', name: 'a' }],
    ['a value out of range', { id: 4, name: 'a' }],
    ['a field that is missing', { id: 1 }],
    ['a field that is not known', { id: 1, name: 'a', more: 1 }],
    ['a field in place of another', { id: 1, more: 'a' }],
    ['a name that every object has', { id: 1, constructor: 'a' }],
    ['a prototype of its own', Object.assign(Object.create({ name: 'a' }) as object, { id: 1 })],
    ['an array', [1, 'a']],
    ['null', null],
    ['text', 'id'],
    ['nothing', undefined],
  ])('is validated by class-validator if the body is or has %s', (_, body) => {
    expect(FlatBody.of(Order)?.accepted(body)).toBeUndefined();
  });

  it.each<Type<object>>([
    Nested,
    Each,
    Grouped,
    Conditional,
    Transformed,
    Typed,
    Renamed,
    Hidden,
    AllHidden,
    Filled,
    WithSetter,
    Inherited,
    Without,
    Looked,
    Defaulted,
    NamedPrototype,
    Object,
    String,
    Array,
  ])('is not supported for a class with complex rules: %p', (of) => {
    expect(FlatBody.of(of)).toBeUndefined();
  });

  it("has the result of Nest's ValidationPipe if decorators of the application transform the body", async () => {
    for (const [of, body] of [
      [Trimmed, { name: ' x ' }],
      [Defaulted, { role: '' }],
    ] as const) {
      expect(FlatBody.of(of)).toBeUndefined();
      expect(await outcome(ours, of, body)).toEqual(await outcome(nest, of, body));
    }
    expect(await outcome(ours, Trimmed, { name: ' x ' })).toEqual({ accepted: { name: 'x' } });
    expect(await outcome(ours, Defaulted, { role: '' })).toEqual({ accepted: { role: 'guest' } });
  });

  it('is refused if a custom rule of the application fails, and runs this rule only once', async () => {
    asked = 0;
    expect(await outcome(ours, Looked, { id: 1 })).toEqual({ accepted: { id: 1 } });
    expect(asked).toBe(1);
    expect(await outcome(ours, Looked, { id: 2 })).toBe('refused');
  });

  it('is validated by class-validator if a field is an array', async () => {
    expect(FlatBody.of(Listed)?.accepted({ ids: [1] })).toBeUndefined();
    expect(await outcome(ours, Listed, { ids: [1] })).toEqual({ accepted: { ids: [1] } });
  });

  it('is a copy of the received body', async () => {
    const body = { id: 1, name: 'a' };
    const made = ours.transform(body, { type: 'body', metatype: Order });
    expect(made).toEqual(body);
    expect(made).not.toBe(body);
  });
});
