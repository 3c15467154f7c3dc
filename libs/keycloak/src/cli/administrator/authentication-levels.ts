import type { AdminApi, Representation } from './admin-api.js';
import { recordOf, textOf } from './representation.js';

export const LEVEL_CONDITION = 'conditional-level-of-authentication';

export type LevelsByName = ReadonlyMap<string, number>;

export function levelsByName({ 'acr.loa.map': map }: Representation): LevelsByName {
  try {
    return new Map(Object.entries(recordOf(JSON.parse(textOf(map)))).map(([name, level]) => [name, Number(level)]));
  } catch {
    return new Map();
  }
}

export async function levelsOfFlow(api: AdminApi, alias: string): Promise<readonly number[]> {
  const executions = await api.readList(`/authentication/flows/${encodeURIComponent(alias)}/executions`);
  const conditions = executions.filter(
    ({ providerId, requirement }) => providerId === LEVEL_CONDITION && requirement !== 'DISABLED',
  );
  const configs = conditions.map(async ({ authenticationConfig: id }) =>
    textOf(id) === '' ? [] : [levelOf(await api.read(`/authentication/config/${textOf(id)}`))],
  );
  return (await Promise.all(configs)).flat();
}

export const levelOf = ({ config }: Representation): number => Number(recordOf(config)['loa-condition-level']);
