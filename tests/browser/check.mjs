// Proves that the tools of the browser tests work on this machine: node --test tests/browser/check.mjs
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { checkAxe, launch, picture } from './browser.mjs';

// As strict as any page of ours, so that the tools are proven to work under it.
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
    "require-trusted-types-for 'script'; frame-ancestors 'none'",
};

const page = (body) => `<!doctype html>
<html lang="en">
<head><title>Purser, a check</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/style.css"></head>
<body><main>${body}</main><script src="/script.js"></script></body>
</html>`;

const answers = {
  '/': page(`<h1>Bills of October</h1>
<p>Wages of the quiet fox: fi fl – “quoted”, 1 234,50 €, ÄÖÜ ß ñ ø ł, → ✓ ✗ ▲ …</p>
<p class="small">The <b>bold</b>, the <i>slanted</i> and the <code>PO-000123 = 0O1lI</code>.</p>
<p><span id="thin">iiiiiiiiii</span> <span id="wide">WWWWWWWWWW</span></p>
<p><code><span id="mono-thin">iiiiiiiiii</span> <span id="mono-wide">WWWWWWWWWW</span></code></p>
<table><thead><tr><th scope="col">Order</th><th scope="col">Amount</th></tr></thead>
<tbody><tr><td>PO-1</td><td>1,250.00</td></tr></tbody></table>
<p><button type="button" id="pay">Transfer now</button> <output id="told" for="pay"></output></p>`),
  '/wrong': page('<h1>Wrong</h1><img src="/none.png"><p class="pale">Pale</p><p><a href="/">a</a><a href="/x">b</a></p>'),
  '/outside': page('<h1>Outside</h1>'),
};
const style = `:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; background: Canvas; color: CanvasText }
@media (prefers-color-scheme: dark) { body { background: #112; color: #eef } }
code { font-family: monospace } td, th { padding: .2rem 1rem; text-align: left }
button { font: inherit; padding: .5rem 1rem } .pale { color: #bbb; background: #fff }`;
const script = `document.querySelector('#pay')?.addEventListener('click', () => {
  document.querySelector('#told').textContent = 'Transferred';
});`;

let server, browser, base;

before(async () => {
  server = createServer((request, response) => {
    const path = new URL(request.url, 'http://127.0.0.1').pathname;
    if (path === '/style.css') response.writeHead(200, { 'content-type': 'text/css' }).end(style);
    else if (path === '/script.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else if (answers[path]) response.writeHead(200, headers).end(answers[path]);
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

const open = async (path, options) => {
  const tab = await browser.newPage(options);
  await tab.goto(base + path);
  return tab;
};

test('a page is shown, and a button can be pressed', async () => {
  const tab = await open('/');
  await tab.getByRole('button', { name: 'Transfer now' }).click();
  assert.equal(await tab.locator('#told').textContent(), 'Transferred');
  await tab.close();
});

test('letters have the widths of a real font', async () => {
  const tab = await open('/');
  const width = (id) => tab.locator(id).evaluate((span) => span.getBoundingClientRect().width);
  assert.ok((await width('#wide')) > 2 * (await width('#thin')), 'proportional');
  assert.ok(Math.abs((await width('#mono-wide')) - (await width('#mono-thin'))) < 0.5, 'monospaced');
  await tab.close();
});

test('light, dark, wide and narrow can be asked for', async () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, width, height] of [['wide', 1280, 800], ['narrow', 360, 740]]) {
      const tab = await open('/', { colorScheme, viewport: { width, height }, reducedMotion: 'reduce' });
      assert.equal(await tab.evaluate(() => innerWidth), width);
      const paper = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(paper, colorScheme === 'dark' ? 'rgb(17, 17, 34)' : 'rgb(255, 255, 255)');
      await picture(tab, `check-${colorScheme}-${name}`);
      await tab.close();
    }
  }
});

test('axe finds nothing on a good page and names what is wrong on a bad one', async () => {
  const good = await open('/');
  assert.deepEqual(await checkAxe(good, 'good'), []);
  await good.close();
  const bad = await open('/wrong');
  const found = (await checkAxe(bad, 'wrong')).join('\n');
  for (const rule of ['image-alt', 'color-contrast', 'target-size']) assert.match(found, new RegExp(`wrong: ${rule} `));
  await bad.close();
});

test('the world outside cannot be reached', async () => {
  const tab = await browser.newPage();
  await assert.rejects(tab.goto('http://purser.example/'), /ERR_NAME_NOT_RESOLVED/);
  await tab.close();
});
