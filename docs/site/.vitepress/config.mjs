import { defineConfig } from 'vitepress';
import { accessibleSearch } from './accessible-search.mjs';
import { NOT_PAGES, pageOf, read, addressIfSet, titleOf } from '../addresses.mjs';
import { repositoryMarkdown } from './markdown.mjs';
import { groupsOf, sidebars } from '../navigation.mjs';

const repository = addressIfSet();
const groups = groupsOf(read('docs/README.md'));
const [, opening = ''] = /^# .+\n\n((?:.+\n)+)/.exec(read('README.md')) ?? [];
const [description = ''] = opening.replaceAll('\n', ' ').split(/(?<=\.) /);

/** GitHub's anchors, because the links in the documents use them. @param {string} heading */
const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');

export default defineConfig({
  title: titleOf('README.md'),
  description,
  lang: 'en',
  srcDir: '../..',
  srcExclude: NOT_PAGES,
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  rewrites: pageOf,
  additionalConfig: false,
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    anchor: { slugify },
    // The repository's host renders none of these.
    attrs: false,
    component: false,
    container: false,
    include: false,
    snippet: false,
    toc: false,
    config: repositoryMarkdown,
  },
  vite: { plugins: [accessibleSearch()], build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    nav: [
      ...groups.map(({ text, items: [first] }) => ({ text, link: first.link })),
      { text: 'API', link: '/api/nestjs-keycloak-s2s/index/' },
    ],
    sidebar: sidebars(),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: { miniSearch: { searchOptions: { boostDocument: (id) => (id.startsWith('/api/') ? 0.3 : 1) } } },
    },
    externalLinkIcon: true,
    ...(repository && { socialLinks: [{ icon: 'github', link: repository }] }),
  },
});
