// How every page looks and is worked: axe in both colour schemes and four widths, no sideways
// scrolling, the size of pages, the keyboard alone, and without script.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { checkAxe, launch } from './browser.mjs';
import { bayside, connectQuickBooks, enterAutotask, fillSettings, follow, identify, signIn, startDemo } from './demo.mjs';

const owner = 'owner@north-harbor.example';
const grace = 'grace@bayside.example';
const widths = [360, 768, 1280, 1920];
const sizeMax = 50_000;

// Pages of a company at work, by what is seen there.
const pages = {
  home: '/home',
  logs: '/logs',
  'logs, filtered': '/logs?outcome=refused&text=item',
  'logs, nothing found': '/logs?text=no+such+order',
  'logs, wrong filter': '/logs?from=yesterday&outcome=all+of+them',
  'logs, one cause': '/logs?code=item.inactive',
  'a refused order': '/logs/4866',
  'an order that is not there': '/logs/999999',
  'sync one order': '/sync',
  'a preview that is refused': '/sync/preview?order=4866',
  'a preview of an order that is left alone': '/sync/preview?order=999999',
  settings: '/settings',
  'history of settings': '/settings/history',
  'export and import': '/settings/transfer',
  connection: '/connection',
  'Autotask form': '/connection/autotask',
  'check of the connection': '/connection/check',
  disconnect: '/connection/disconnect',
  people: '/people',
  activity: '/activity',
  account: '/account',
  companies: '/companies',
  help: '/help',
  'no such page': '/nowhere',
};
const openPages = {
  'sign-in': '/sign-in',
  'sign-in, cancelled': '/sign-in?problem=denied',
  'sign-in, lost': '/sign-in?problem=state',
  'sign-in, ended': '/sign-in?done=signed_out',
  disconnected: '/disconnected',
  help: '/help',
  'a link that is not valid': '/link/none',
};

let demo, browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const somebody = async (email, options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  if (email) await signIn(page, demo, email);
  return page;
};

/** What is wrong with the page as it stands, in every scheme and width. */
async function wrongs(page, name) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      const place = `${name}, ${colorScheme}, ${width} px`;
      found.push(...(await checkAxe(page, place)));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) found.push(`${place}: ${over} px wider than the screen`);
    }
  }
  return found;
}

async function openAll(page, list) {
  const found = [];
  for (const [name, path] of Object.entries(list)) {
    const answer = await page.goto(demo.base + path);
    const size = (await answer.body()).length;
    if (size > sizeMax) found.push(`${name}: ${size} bytes`);
    found.push(...(await wrongs(page, name)));
  }
  return found;
}

describe('how pages look', () => {
  it('pages_of_a_company_are_without_fault_in_both_schemes_and_all_widths', async () => {
    const page = await somebody(owner);
    assert.deepEqual(await openAll(page, pages), []);
  });

  it('pages_for_everybody_are_without_fault_in_both_schemes_and_all_widths', async () => {
    const page = await somebody();
    assert.deepEqual(await openAll(page, openPages), []);
  });

  it('pages_with_mistakes_and_results_are_without_fault_too', async () => {
    const page = await somebody(owner);
    const found = [];
    const look = async (name) => found.push(...(await wrongs(page, name)));
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', 'abc');
    await page.fill('#mail_to', 'nobody');
    await follow(page, 'button:has-text("Do It Now")');
    await look('sync with mistakes');
    await page.fill('#order', '4866');
    await page.fill('#mail_to', '');
    await follow(page, 'button:has-text("Do It Now")');
    await look('an attempt under way');
    await page.locator('text=This attempt is finished').waitFor();
    await look('an attempt that was refused');
    await page.goto(`${demo.base}/settings`);
    await page.fill('#days_back', '400');
    await page.fill('#digest_to', 'nobody');
    await follow(page, 'button:has-text("Save")');
    await look('settings with mistakes');
    await page.goto(`${demo.base}/connection/autotask`);
    await follow(page, 'main button.main-act');
    await look('Autotask form with mistakes');
    await page.goto(`${demo.base}/people`);
    await page.fill('#email', 'nobody');
    await follow(page, 'button:has-text("Invite")');
    await look('people with mistakes');
    await page.goto(`${demo.base}/settings/transfer`);
    await page.fill('#document', '{"days_back": "many"}');
    await follow(page, 'button:has-text("Import settings")');
    await look('import with mistakes');
    await page.goto(`${demo.base}/logs?outcome=billed`);
    await follow(page, 'tbody th a');
    await look('a billed order');
    for (const details of await page.locator('.time summary').all()) await details.click();
    await look('a billed order, everything open');
    await page.goto(`${demo.base}/home`);
    await page.locator('summary:has-text("Show as a table")').click();
    await look('home with its table');
    assert.deepEqual(found, []);
  });

  it('set_up_is_without_fault_at_every_step', async () => {
    const page = await somebody(grace);
    const found = [];
    const look = async (name) => found.push(...(await wrongs(page, name)));
    await look('set-up, nothing connected');
    await connectQuickBooks(page, grace);
    await look('set-up, QuickBooks connected');
    await page.goto(`${demo.base}/connection/autotask`);
    await look('Autotask form, empty');
    await enterAutotask(page, demo, { ...bayside, secret: 'wrong' });
    await look('Autotask form, refused');
    await enterAutotask(page, demo, bayside);
    await look('set-up, step 1 complete');
    await page.goto(`${demo.base}/home`);
    await look('home before set-up is finished');
    await page.goto(`${demo.base}/logs`);
    await look('logs, empty');
    await page.goto(`${demo.base}/settings`);
    await look('settings, empty');
    await fillSettings(page);
    await follow(page, 'button:has-text("Save")');
    await look('set-up, step 2 complete');
    await follow(page, 'main form button:has-text("Connect")');
    await look('set-up, first run');
    await page.locator('text=Finished').waitFor({ timeout: 30_000 });
    await look('set-up, first run finished');
    await page.goto(`${demo.base}/sync/preview?order=6101`);
    await look('preview of a billed order');
    assert.deepEqual(found, []);
  });

  it('long_names_do_not_break_a_page', async () => {
    const act = (action, more) => demo.act({ system: 'autotask', database: 'purser@north-harbor.example', action, ...more });
    const name = 'W'.repeat(60) + ' ' + 'Lopado­temacho­selacho­galeo­kranio'.repeat(2);
    await act('rename_company', { company: 302, name: name.slice(0, 100) });
    await act('create_product', { product: { id: 519, name: 'M'.repeat(100) } });
    const lines = [{ product: 519, quantity: 123456, unit_cost: '12345.67' }];
    const order = { status: 'new', vendor: 302, purchase_for: 401, memo: 'N'.repeat(900), lines };
    const { id } = await act('create_order', { order });
    await act('submit_order', { order: id });
    const page = await somebody(owner);
    const preview = { 'a preview with long names': `/sync/preview?order=${id}` };
    const found = await openAll(page, preview);
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', String(id));
    await follow(page, 'button:has-text("Do It Now")');
    await page.locator('text=This attempt is finished').waitFor();
    found.push(...(await wrongs(page, 'an attempt with long names')));
    found.push(...(await openAll(page, { 'a story with long names': `/logs/${id}`, 'logs with long names': '/logs' })));
    assert.deepEqual(found, []);
  });
});

describe('without a mouse', () => {
  it('every_control_of_every_page_is_reached_and_shows_the_focus', async () => {
    const page = await somebody(owner, { viewport: { width: 1280, height: 900 } });
    const found = [];
    for (const [name, path] of Object.entries(pages)) {
      if (path === '/logs') continue; // The same as filtered, with many more rows.
      await page.goto(demo.base + path);
      await page.evaluate(() => {
        window.reached = new Set();
        document.activeElement?.blur();
      });
      // Twice round, because a page may begin in its middle, at what is wrong. The parts of a date
      // are stops of their own.
      for (let press = 0, rounds = 0; rounds < 2; press += 1) {
        assert.ok(press < 800, `${name}: the focus never leaves the page`);
        await page.keyboard.press('Tab');
        const blind = await page.evaluate(() => {
          const one = document.activeElement;
          if (!one || one === document.body) return false;
          window.reached.add(one);
          const style = getComputedStyle(one);
          const shows = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
          return shows || style.boxShadow !== 'none' ? null : one.outerHTML.slice(0, 120);
        });
        rounds += blind === false ? 1 : 0;
        if (blind) found.push(`${name}: no focus to be seen at ${blind}`);
      }
      const missed = await page.evaluate(() => {
        const wanted = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
        const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0;
        // Of a group of radio buttons Tab reaches one; arrows reach the others.
        const inGroup = (one) => one.type === 'radio' && [...window.reached].some((other) => other.name === one.name);
        const all = [...document.querySelectorAll(wanted)].filter(isSeen);
        return all.filter((one) => !window.reached.has(one) && !inGroup(one)).map((one) => one.outerHTML.slice(0, 120));
      });
      found.push(...missed.map((one) => `${name}: Tab does not reach ${one}`));
    }
    assert.deepEqual(found, []);
  });

  it('the_first_stop_skips_the_navigation', async () => {
    const page = await somebody(owner);
    await page.goto(`${demo.base}/logs`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => location.hash), '#main');
  });

  it('an_order_is_synced_with_the_keyboard_alone', async () => {
    const page = await somebody(owner);
    await page.goto(`${demo.base}/sync`);
    const to = async (selector) => {
      for (let press = 0; press < 40; press += 1) {
        if (await page.evaluate((one) => document.activeElement?.matches(one), selector)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not reach ${selector}`);
    };
    await to('#order');
    await page.keyboard.type('abc');
    await page.keyboard.press('Enter');
    // What is wrong has the focus, and leads to the field.
    await page.locator('[data-focus]:focus').waitFor();
    await to('main a[href="#order"]');
    await page.keyboard.press('Enter');
    await to('#order');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('4865');
    await to('button[value=run]');
    await page.keyboard.press('Enter');
    await page.locator('text=This attempt is finished').waitFor();
  });
});

describe('without script', () => {
  it('a_company_is_set_up_watched_and_mended_without_script', async () => {
    const page = await somebody(null, { javaScriptEnabled: false });
    const person = { email: 'nora@harbor-street.example', realm: '9130355001000005' };
    await demo.act({ system: 'intuit', action: 'add_person', email: person.email, name: 'Nora Field', realms: {} });
    await signIn(page, demo, owner);
    await page.goto(`${demo.base}/settings`);
    assert.equal(await page.locator('#created_item_account').isVisible(), true, 'nothing is hidden for good');
    await page.fill('#days_back', '29');
    await follow(page, 'button:has-text("Save")');
    assert.match(await page.locator('main').innerText(), /saved/i);
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', '4864');
    await follow(page, 'button:has-text("Preview")');
    assert.match(await page.locator('h1').innerText(), /No bill would be made/);
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', '4864');
    await follow(page, 'button:has-text("Do It Now")');
    const isFinished = async () => /This attempt is finished/.test(await page.locator('main').innerText());
    for (let tries = 0; !(await isFinished()); tries += 1) {
      assert.ok(tries < 60, 'the attempt does not end');
      await new Promise((resolve) => setTimeout(resolve, 250));
      await page.reload();
    }
    await page.goto(`${demo.base}/logs/4864`);
    await follow(page, 'button:has-text("Retry")');
    await page.goto(`${demo.base}/logs?outcome=refused`);
    assert.ok((await page.locator('tbody tr').count()) > 5);
    await follow(page, 'button:has-text("Sign out")');
    assert.match(await page.locator('main').innerText(), /You are signed out/);
  });

  it('intuit_asks_again_who_one_is_after_a_sign_out', async () => {
    const page = await somebody(null, { javaScriptEnabled: false });
    await page.goto(`${demo.base}/launch`);
    await follow(page, 'text=Sign in with Intuit');
    await identify(page, owner);
    assert.equal(page.url(), `${demo.base}/home`);
  });
});
