// node docs/film/panels.mjs draws dashboard panels from PROMETHEUS_URL, for the last MINUTES.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { findChromium, HOW_TO_GET_CHROMIUM } from '../../scripts/common/chromium.mjs';

const PROMETHEUS = process.env.PROMETHEUS_URL ?? 'http://localhost:9090';
const MINUTES = process.env.MINUTES ?? '5';
const DASHBOARD = new URL('../../deploy/observability/grafana/dashboards/services.json', import.meta.url);
const TITLES = ['Our errors', 'Answers of Keycloak', 'Refusals by reason'];

/** @type {{ panels: readonly { title: string, targets?: readonly { expr: string }[] }[] }} */
const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
const query = new URLSearchParams();
for (const [index, title] of TITLES.entries()) {
  const expr = panels.find((panel) => panel.title === title)?.targets?.[0]?.expr;
  if (expr === undefined) throw new Error(`The dashboard has no panel "${title}"`);
  query.set(`g${index}.expr`, expr.replaceAll('$__rate_interval', '15s'));
  query.set(`g${index}.tab`, '0');
  query.set(`g${index}.range_input`, `${MINUTES}m`);
}

const executablePath = findChromium(process.env);
if (executablePath === undefined) throw new Error(`Chromium was not found. ${HOW_TO_GET_CHROMIUM}`);
const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
try {
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  await page.goto(`${PROMETHEUS}/classic/graph?${query}`);
  await page.addStyleTag({ content: 'nav { display: none !important }' });
  await page.waitForTimeout(4000);
  await page.screenshot({ path: process.env.OUT ?? 'docs/images/panels.png', fullPage: true });
} finally {
  await browser.close();
}
