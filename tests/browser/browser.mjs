// The browser of the tests, and what axe says about a page in it. Installed by tests/tools.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where screenshots go; not kept by git. */
export const pictures = join(root, 'target/browser');

const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
  // A page that asks for anything outside this machine must fail in the same way everywhere.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
];

/**
 * Starts the Chromium that tests/tools chose, with an empty profile of its own. Playwright adds
 * --headless, and --no-sandbox, which root needs and the pages, our own, may do without.
 */
export function launch(options = {}) {
  return chromium.launch({
    executablePath: join(root, '.tools/bin/chromium'),
    ...options,
    args: [...args, ...(options.args ?? [])],
  });
}

/** Takes a picture of the whole page and tells where it is. */
export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true, animations: 'disabled' });
  return path;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Rules that are off by default, such as the size of targets, are on when their tag is named.
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/**
 * What axe finds wrong on the page as it stands, one sentence for each place; nothing when all is
 * well: `assert.deepEqual(await checkAxe(page, 'orders'), [])`.
 */
export async function checkAxe(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (values) => globalThis.axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] }),
    tags,
  );
  return violations.flatMap((rule) =>
    rule.nodes.map((node) => {
      const why = [...node.any, ...node.all, ...node.none].map((check) => check.message).join('; ');
      return `${name}: ${rule.id} (${rule.impact}) at ${node.target.join(' ')}: ${rule.help}: ${why}`;
    }),
  );
}
