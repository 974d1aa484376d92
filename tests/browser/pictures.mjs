// Takes the pictures that the README shows: node tests/browser/pictures.mjs
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';
import { signIn, startDemo } from './demo.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'pictures');
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
  await page.click('button:has-text("Do It Now")');
  await page.locator('text=This attempt is finished').waitFor();
  await act(demo, 'edit_line', { line: line.id, unit_cost: '642.50' });
  await page.goto(`${demo.base}/logs/${order}`);
  await page.click('button:has-text("Retry")');
  await page.locator('main .badge:has-text("Billed")').waitFor();
  return order;
};

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
