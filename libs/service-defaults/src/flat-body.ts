/** Flat body: the rules of a class whose fields are plain values, looked up once, so that a good body costs none of what class-validator needs to say what is wrong. */
import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes } from 'class-validator';

type BodyClass = new () => object;
type Entity = Readonly<Record<string, unknown>>;
type Rules = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;

/** Of one field. */
interface FieldRules {
  readonly property: string;
  /** The others count where all of these hold. */
  readonly conditions: readonly ((entity: Entity, value: unknown) => unknown)[];
  readonly checks: readonly ((entity: Entity, value: unknown) => unknown)[];
}

const PLAIN: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

export class FlatBody {
  private constructor(
    private readonly bodyClass: BodyClass,
    private readonly fields: ReadonlyMap<string, FieldRules>,
  ) {}

  /** Undefined for a class of which only class-validator and class-transformer together know what it accepts: one with nested classes, arrays, groups, fields that it fills in itself, or transformations. */
  static of(bodyClass: BodyClass): FlatBody | undefined {
    const rules = getMetadataStorage().getTargetValidationMetadatas(bodyClass, '', false, false);
    const names = new Set(rules.map(({ propertyName }) => propertyName));
    if (names.size === 0 || !rules.every(isFlat) || !isPlain(bodyClass, names)) return undefined;
    return new FlatBody(bodyClass, new Map([...names].map((name) => [name, fieldRules(name, rules, bodyClass.name)])));
  }

  /** True for a body that has each of the fields and no other, and meets all rules. One for which it is false may be good all the same: class-validator knows, and says why it is not. */
  accepts(body: unknown): body is object {
    if (typeof body !== 'object' || body === null || Object.getPrototypeOf(body) !== Object.prototype) return false;
    const names = Object.keys(body);
    const isKnown = (name: string): boolean => this.fields.has(name) && PLAIN.has(typeof (body as Entity)[name]);
    if (names.length !== this.fields.size || !names.every(isKnown)) return false;
    const entity = Object.assign(new this.bodyClass(), body) as Entity;
    for (const field of this.fields.values()) if (!isMet(field, entity)) return false;
    return true;
  }
}

function isMet({ property, conditions, checks }: FieldRules, entity: Entity): boolean {
  const value = entity[property];
  // One that answers later is no `true`.
  return !conditions.every((holds) => holds(entity, value)) || checks.every((check) => check(entity, value) === true);
}

/** By the names that class-validator gives to kinds of rules. */
const CHECKS: ReadonlySet<string> = new Set([ValidationTypes.IS_DEFINED, ValidationTypes.CUSTOM_VALIDATION]);
const FLAT_KINDS: ReadonlySet<string> = new Set([
  ...CHECKS,
  ValidationTypes.CONDITIONAL_VALIDATION,
  ValidationTypes.WHITELIST,
]);

function isFlat({ type, each, groups, always, validateIf, constraintCls }: Rules[number]): boolean {
  const hasGroups = (groups ?? []).length > 0 || always === true;
  // One that answers later would be asked twice.
  const answersLater = constraintsOf(constraintCls).some(({ async }) => async);
  return FLAT_KINDS.has(type) && !each && !hasGroups && validateIf === undefined && !answersLater;
}

const constraintsOf = (constraintClass: Rules[number]['constraintCls']) =>
  getMetadataStorage().getTargetValidatorConstraints(constraintClass);

/** Whether class-transformer makes nothing of a body but an instance with the same fields. */
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
  return isShown && !isFilled && ![...names].some((name) => name in bodyClass.prototype || isTransformed(name));
}

function fieldRules(property: string, rules: Rules, targetName: string): FieldRules {
  const own = rules.filter(({ propertyName }) => propertyName === property);
  const conditions = own.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
  return {
    property,
    conditions: conditions.map(({ constraints }) => constraints[0] as FieldRules['conditions'][number]),
    checks: own.filter(({ type }) => CHECKS.has(type)).flatMap((rule) => checksOf(rule, targetName)),
  };
}

function checksOf(
  { constraintCls, constraints, propertyName: property }: Rules[number],
  targetName: string,
): FieldRules['checks'] {
  return constraintsOf(constraintCls).map(
    ({ instance }) =>
      (object, value) =>
        instance.validate(value, { targetName, property, object, value, constraints }),
  );
}
