/** OpenID Connect Core §3.1.2.1, §5.5.1.1. */
import { PageRefusal } from './browser-refusal.js';
import { NO_LEVEL } from '../realm/authentication-levels.js';
import { toRecord, toTexts } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import type { RequestedLevel } from '../state/authorization-request.js';

const LEVEL_OF_UNKNOWN = 0;

export function readRequestedLevel({ levels }: Realm, parameters: URLSearchParams): RequestedLevel {
  const acr = toRecord(toRecord(claimsIn(parameters)['id_token'])['acr']);
  const isEssential = acr['essential'] === true;
  const claimed = typeof acr['value'] === 'string' ? [acr['value']] : toTexts(acr['values']);
  const asked = isEssential ? claimed : [...(parameters.get('acr_values') ?? '').split(' '), ...claimed];
  const names = asked.filter((name) => name !== '');
  const wanted = names.map((name) => {
    const level = levels.levelNamed(name);
    if (level === undefined && isEssential) throw new PageRefusal('Invalid parameter: claims');
    return level ?? LEVEL_OF_UNKNOWN;
  });
  return { asked: names, level: wanted.length === 0 ? NO_LEVEL : Math.min(...wanted), isEssential };
}

function claimsIn(parameters: URLSearchParams): Readonly<Record<string, unknown>> {
  try {
    return toRecord(JSON.parse(parameters.get('claims') ?? '{}'));
  } catch {
    throw new PageRefusal('Invalid parameter: claims');
  }
}
