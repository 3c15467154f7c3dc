import type { Syntax } from './syntax.js';

const SECRETS = new Set(['secret', 'clientSecret', 'client-secret']);

/** Replaces literal client secrets, so that neither a terminal nor a log shows them. */
export function hideSecrets(text: string, root: Syntax): string {
  const literals = [...root.walk()].flatMap((node) => {
    const isSecret = node.kind === 'PropertyAssignment' && SECRETS.has(node.field('name')?.value ?? '');
    return isSecret ? literalsIn(node.field('initializer')) : [];
  });
  return literals.reduce((shown, literal) => shown.replaceAll(literal, "'***'"), text);
}

/** The argument of `config.get('…')` is a name, not a secret. */
function literalsIn(value: Syntax | undefined): string[] {
  const isName = (node: Syntax): boolean => /^(Call|ElementAccess)Expression$/.test(node.parent?.kind ?? '');
  return [...(value?.walk() ?? [])]
    .filter((node) => node.isText && node.value !== '' && !isName(node))
    .map(({ text }) => text);
}
