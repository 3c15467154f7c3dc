import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import * as classValidator from 'class-validator';
import { getMetadataStorage, IS_OPTIONAL, ValidationTypes } from 'class-validator';

type BodyClass = new () => object;
type Entity = Readonly<Record<string, unknown>>;
type Rules = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;
type Check = (entity: Entity) => unknown;

const PLAIN: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

export class FlatBody {
  private constructor(
    private readonly bodyClass: BodyClass,
    private readonly names: ReadonlySet<string>,
    private readonly checks: readonly Check[],
  ) {}

  /**
   * Returns undefined for a class with nested classes, arrays, groups, custom rules, conditions, defaults or
   * transformations.
   */
  static of(bodyClass: BodyClass): FlatBody | undefined {
    const rules = getMetadataStorage().getTargetValidationMetadatas(bodyClass, '', false, false);
    const names = new Set(rules.map(({ propertyName }) => propertyName));
    if (names.size === 0 || !rules.every(isFlat) || !isPlain(bodyClass, names)) return undefined;
    return new FlatBody(
      bodyClass,
      names,
      rules.flatMap((rule) => checksOf(rule, bodyClass.name)),
    );
  }

  /** Returns a copy of a valid body, or undefined if class-validator must decide. */
  accepted(body: unknown): Entity | undefined {
    if (typeof body !== 'object' || body === null || Object.getPrototypeOf(body) !== Object.prototype) return undefined;
    const names = Object.keys(body);
    const isKnown = (name: string): boolean => this.names.has(name) && PLAIN.has(typeof (body as Entity)[name]);
    if (names.length !== this.names.size || !names.every(isKnown)) return undefined;
    const entity = Object.assign(new this.bodyClass(), body) as Entity;
    return this.checks.every((check) => check(entity) === true) ? { ...entity } : undefined;
  }
}

/** The built-in rules of class-validator, which are synchronous and change nothing. */
const OWN_RULES: ReadonlySet<unknown> = new Set(
  Object.entries(classValidator).flatMap(([constant, name]) => (/^[A-Z][A-Z\d_]*$/.test(constant) ? [name] : [])),
);
const CHECKS: ReadonlySet<string> = new Set([ValidationTypes.IS_DEFINED, ValidationTypes.CUSTOM_VALIDATION]);

function isFlat({ type, name, each, groups, always, validateIf }: Rules[number]): boolean {
  const hasGroups = (groups ?? []).length > 0 || always === true;
  const isOwn = CHECKS.has(type)
    ? OWN_RULES.has(name)
    : type === ValidationTypes.WHITELIST || (type === ValidationTypes.CONDITIONAL_VALIDATION && name === IS_OPTIONAL);
  return isOwn && !each && !hasGroups && validateIf === undefined;
}

/** Returns true if class-transformer and Nest only copy the fields into an instance. */
function isPlain(bodyClass: BodyClass, names: ReadonlySet<string>): boolean {
  const { PLAIN_TO_CLASS, CLASS_TO_PLAIN } = TransformationType;
  const isTransformed = (name: string): boolean =>
    (transformations.findTypeMetadata(bodyClass, name) as unknown) !== undefined ||
    [PLAIN_TO_CLASS, CLASS_TO_PLAIN].some(
      (way) => transformations.findTransformMetadatas(bodyClass, name, way).length > 0,
    );
  const isShown =
    transformations.getStrategy(bodyClass) === 'none' &&
    transformations.getExposedMetadatas(bodyClass).length === 0 &&
    transformations.getExcludedMetadatas(bodyClass).length === 0;
  const made = Object.entries(new bodyClass());
  const isFilled = !made.every(([name, value]) => names.has(name) && value === undefined);
  const isReserved = (name: string): boolean => name === 'prototype' || name in bodyClass.prototype;
  return isShown && !isFilled && ![...names].some((name) => isReserved(name) || isTransformed(name));
}

function checksOf(
  { type, constraintCls, constraints, propertyName: property }: Rules[number],
  targetName: string,
): readonly Check[] {
  if (!CHECKS.has(type)) return [];
  const found = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  return found.map(({ instance }) => (object) => {
    const value = object[property];
    return instance.validate(value, { targetName, property, object, value, constraints });
  });
}
