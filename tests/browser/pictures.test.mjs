// Takes the pictures that the README shows, into target/browser/pictures. To renew those of the
// README: PURSER_PICTURES=tests/browser/pictures .tools/bin/node --test tests/browser/pictures.test.mjs
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, pictures } from './browser.mjs';
import { follow, signIn, startDemo } from './demo.mjs';

const folder = process.env.PURSER_PICTURES ?? join(pictures, 'pictures');
const sizeMax = 250_000;
const database = 'purser@north-harbor.example';

/** An order that was just submitted, with a product that QuickBooks does not know yet. */
const submitOrder = async (demo, lines, more) => {
  const order = { status: 'new', vendor: 301, purchase_for: 401, lines, ...more };
  const { id } = await act(demo, 'create_order', { order });
  await act(demo, 'submit_order', { order: id });
  return id;
};

const act = (demo, action, more) => demo.act({ system: 'autotask', database, action, ...more });

/** An order that was refused, mended in Autotask and retried. */
const mendOrder = async (page, demo) => {
  const line = { id: 970001, product: 503, quantity: 1, unit_cost: null };
  const order = await submitOrder(demo, [{ product: 501, quantity: 2, unit_cost: '189.00' }, line]);
  await page.goto(`${demo.base}/sync`);
  await page.fill('#order', String(order));
  await follow(page, 'button:has-text("Do It Now")');
  await page.locator('text=This attempt is finished').waitFor();
  await act(demo, 'edit_line', { line: line.id, unit_cost: '642.50' });
  await page.goto(`${demo.base}/logs/${order}`);
  await follow(page, 'button:has-text("Retry")');
  await page.locator('main .badge:has-text("Billed")').waitFor();
  return order;
};

test('the_pictures_of_the_front_page_are_taken_from_the_demo', async () => {
  const demo = await startDemo();
  const browser = await launch();
  try {
    await act(demo, 'create_product', { product: { id: 518, name: 'Wall mount, 27 inch' } });
    const lines = [
      { product: 501, quantity: 2, unit_cost: '189.00' },
      { product: 502, quantity: 40, unit_cost: '3.1500' },
      { product: 518, quantity: 4, unit_cost: '24.90' },
    ];
    const order = await submitOrder(demo, lines, { freight: '18.50', memo: 'Second floor, new meeting rooms' });
    let mended;
    mkdirSync(folder, { recursive: true });
    for (const scheme of ['light', 'dark']) {
      const viewport = { width: 1280, height: 860 };
      const context = await browser.newContext({ viewport, colorScheme: scheme });
      const page = await context.newPage();
      await signIn(page, demo, 'owner@north-harbor.example');
      mended ??= await mendOrder(page, demo);
      const shown = { home: '/home', logs: '/logs', story: `/logs/${mended}`, settings: '/settings', preview: `/sync/preview?order=${order}` };
      for (const [name, path] of Object.entries(shown)) {
        if (scheme === 'dark' && name !== 'home') continue;
        await page.goto(demo.base + path);
        for (const details of await page.locator('.time details summary').all()) await details.click();
        await page.evaluate(() => scrollTo(0, 0));
        const file = scheme === 'light' ? `${name}.png` : `${name}-${scheme}.png`;
        await page.screenshot({ path: join(folder, file), animations: 'disabled' });
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await demo.stop();
  }
  const front = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const named = [...front.matchAll(/tests\/browser\/pictures\/([\w-]+\.png)/g)].map(([, name]) => name);
  assert.ok(named.length >= 4);
  for (const name of named) {
    assert.ok(existsSync(join(folder, name)), `${name} is not taken any more`);
    assert.ok(statSync(join(folder, name)).size < sizeMax, `${name} is too large`);
  }
});
