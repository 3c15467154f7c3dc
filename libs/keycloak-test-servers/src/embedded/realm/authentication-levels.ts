import { toList, toRecord } from './realm-representation.js';

export interface AuthenticationLevel {
  readonly level: number;
  /** The value 0 means that the level is valid for one authentication only. */
  readonly maxAgeSeconds: number;
  readonly asksName: boolean;
}

export const NO_LEVEL = -1;
const SESSION_LEVEL = 0;

export class AuthenticationLevels {
  /** `names` comes from the realm's attribute `acr.loa.map`. */
  constructor(
    private readonly levels: readonly AuthenticationLevel[],
    private readonly names: ReadonlyMap<string, number>,
  ) {}

  get areThere(): boolean {
    return this.levels.length > 0;
  }

  levelNamed(acr: string): number | undefined {
    return this.names.get(acr) ?? (/^\d{1,9}$/.test(acr) ? Number(acr) : undefined);
  }

  nameOf(level: number, asked: readonly string[]): string {
    if (this.names.size === 0) return String(level);
    return this.#highest(level, asked) ?? this.#highest(level, [...this.names.keys()]) ?? String(level);
  }

  held(reached: ReadonlyMap<number, number>, nowSeconds: number): number {
    if (reached.size === 0) return NO_LEVEL;
    let held = SESSION_LEVEL;
    for (const { level, maxAgeSeconds } of this.levels) {
      const at = reached.get(level);
      if (at === undefined || at + maxAgeSeconds < nowSeconds) break;
      held = level;
    }
    return held;
  }

  /** A user who has no level yet must always reach the first level. */
  next(reached: number, wanted: number): AuthenticationLevel | undefined {
    return this.levels.find(({ level }) => level > reached && (reached === NO_LEVEL || level <= wanted));
  }

  #highest(level: number, acrs: readonly string[]): string | undefined {
    const covered = acrs.flatMap((acr) => {
      const its = this.levelNamed(acr);
      return its !== undefined && its <= level ? [{ acr, its }] : [];
    });
    return covered.toSorted((one, other) => other.its - one.its)[0]?.acr;
  }
}

const CONDITION = 'conditional-level-of-authentication';
const NAME_FORM = 'auth-username-password-form';

/** Each subflow with a level condition is one level. Every level's login form asks for the password. */
export function readLevels(realm: Readonly<Record<string, unknown>>): AuthenticationLevels {
  const flows = new Map(toList(realm['authenticationFlows']).map((flow) => [toRecord(flow)['alias'], toRecord(flow)]));
  const configs = new Map(
    toList(realm['authenticatorConfig'])
      .map(toRecord)
      .map(({ alias, config }) => [alias, toRecord(config)]),
  );
  const executionsOf = (alias: unknown) => toList(flows.get(alias)?.['authenticationExecutions']).map(toRecord);
  const levelsIn = (alias: unknown, above: readonly unknown[] = []): AuthenticationLevel[] => {
    if (above.includes(alias)) return [];
    const executions = executionsOf(alias);
    const condition = executions.find(({ authenticator }) => authenticator === CONDITION);
    const config = configs.get(condition?.['authenticatorConfig']);
    const own =
      config === undefined
        ? []
        : [
            {
              level: Number(config['loa-condition-level']),
              maxAgeSeconds: Number(config['loa-max-age'] ?? 0),
              asksName: executions.some(({ authenticator }) => authenticator === NAME_FORM),
            },
          ];
    return [...own, ...executions.flatMap(({ flowAlias }) => levelsIn(flowAlias, [...above, alias]))];
  };
  const levels = levelsIn(realm['browserFlow']).toSorted((one, other) => one.level - other.level);
  return new AuthenticationLevels(levels, namesIn(toRecord(realm['attributes'])['acr.loa.map']));
}

function namesIn(map: unknown): ReadonlyMap<string, number> {
  const names = typeof map === 'string' ? toRecord(JSON.parse(map)) : {};
  return new Map(Object.entries(names).map(([acr, level]) => [acr, Number(level)]));
}
