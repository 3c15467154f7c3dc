import { figure, verdict } from '../report.mjs';

export const name = 'million-tokens';
export const title = '1,000,000 distinct tokens through a guard: heap growth, and token text in a snapshot';

export async function run({ start, say }) {
  const figures = [];
  for (const kind of ['active', 'inactive']) {
    const guard = await start(`guard, ${kind} tokens`, ['--expose-gc', 'bench/servers/million-tokens.mjs', kind]);
    const { tokens, grownBytes, peakBytes, found, refused } = await guard.ask('run');
    say(
      `${kind}: ${tokens} tokens, ${refused} refused, heap before its last collection ${(peakBytes / 1e6).toFixed(1)} MB`,
    );
    figures.push(
      figure(`${tokens.toLocaleString('en')} ${kind} tokens: heap growth after GC`, [grownBytes / 1e6], {
        unit: 'MB',
        must: { atMost: 50 },
        aim: { atMost: 20 },
        note: 'guard and caches in process, introspection answered by a function',
      }),
      verdict(`${kind} tokens: their text in a heap snapshot`, found === 0, `${found} times`, 'never'),
    );
    await guard.stop();
  }
  return figures;
}
