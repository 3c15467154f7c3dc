export type Encoding = 'plain' | 'escaped' | 'in base64';

export interface TextView {
  readonly encoding: Encoding;
  readonly text: string;
}

/** The lookbehind avoids quadratic time for a sequence of backslashes. */
const ESCAPE =
  /%([0-7][\da-f])|(?<!\\)\\+(?:u00([0-7][\da-f])|x([0-7][\da-f])|(?=\/))|&#x0*([0-7][\da-f]);|&#0*(\d{2,3});/gi;
const ROUNDS = 3;

/** The shortest token has 11 characters in base64. */
const BASE64 = /[\w+/-]{11,}/g;

export function textViews(text: string): TextView[] {
  const escaped = withoutEscapes(text);
  const decoded = decodedRuns(escaped);
  const views: TextView[] = [
    { encoding: 'plain', text },
    { encoding: 'escaped', text: escaped },
    { encoding: 'in base64', text: decoded },
    { encoding: 'in base64', text: withoutEscapes(decoded) },
  ];
  return views.filter((view, at) => view.text !== '' && view.text !== views[at - 1]?.text);
}

function withoutEscapes(text: string): string {
  let before = '';
  let after = text;
  for (let round = 0; round < ROUNDS && after !== before; round += 1) {
    before = after;
    after = before.replace(ESCAPE, (_, ...found: unknown[]) => {
      const [percent, json, script, hex, decimal] = found as (string | undefined)[];
      const code = percent ?? json ?? script ?? hex;
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return decimal === undefined ? '' : String.fromCharCode(Number(decimal));
    });
  }
  return after;
}

/** Decodes each base64 sequence at offsets 0 to 3, because other characters may precede the token. */
function decodedRuns(text: string): string {
  const runs = text.match(BASE64) ?? [];
  return runs
    .flatMap((run) => [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), 'base64').toString('latin1')))
    .join('\n');
}
