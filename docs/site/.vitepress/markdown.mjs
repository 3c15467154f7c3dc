import { relative } from 'node:path';
import { renderMermaidSVG } from 'beautiful-mermaid';
import { addressIfSet, ROOT } from '../addresses.mjs';
import { withSiteLinks } from '../links.mjs';
import { importOf } from '../navigation.mjs';

/** @typedef {import('../links.mjs').Token} Token */

/** Adapts links, images, diagrams and long names to the site. @param {import('markdown-it').default} md */
export function repositoryMarkdown(md) {
  const repository = addressIfSet();
  md.core.ruler.push('repository', ({ tokens, env }) => {
    // In the search index, `path` is the file. On a page, `path` is already the address.
    const from = relative(ROOT, env.realPath ?? env.path);
    const name = importOf(from);
    for (const token of tokens) {
      if (token.type === 'fence') token.info = token.info.split(' ')[0] ?? '';
      if (token.type === 'html_block') token.content = token.content.replaceAll(/(src|srcset)="(?=\w+\/)/g, '$1="./');
      if (token.children) token.children = withSiteLinks(token.children, { from, repository });
    }
    if (name !== undefined) renameHeading(tokens, name);
  });
  const { fence, code_inline: code } = md.renderer.rules;
  md.renderer.rules['code_inline'] = (...args) => breakable(code?.(...args) ?? '');
  md.renderer.rules['fence'] = (tokens, index, ...rest) => {
    const { info = '', content = '' } = tokens[index] ?? {};
    return info === 'mermaid' ? diagram(content) : (fence?.(tokens, index, ...rest) ?? '');
  };
}

/** @param {string} html */
const breakable = (html) => html.replaceAll(/(?<=[._]|\w\/)(?=\w)/g, '<wbr>');

/** @param {Token[]} tokens @param {string} name */
function renameHeading(tokens, name) {
  const text = tokens[1]?.children?.[0];
  if (text) text.content = name;
}

/**
 * Returns SVG without style, which would load a font from elsewhere.
 *
 * @param {string} code
 */
function diagram(code) {
  // The drawing puts the name of an actor on the first message.
  const svg = renderMermaidSVG(code.replaceAll(/^(\s*)actor /gm, '$1participant '), {
    bg: 'var(--vp-c-bg)',
    fg: 'var(--vp-c-text-1)',
    transparent: true,
  });
  const messages = [...code.matchAll(/^\s*(\w+)-+>>(\w+): (.*)$/gm)].map(
    ([, from, to, text]) => `${from} to ${to}: ${text}`,
  );
  const label = messages.join('. ').replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const drawn = svg.replace(/<style>.*?<\/style>/s, '').replace('<svg ', `<svg role="img" aria-label="${label}" `);
  return `<div class="diagram" tabindex="0" v-pre>${drawn}</div>\n`;
}
