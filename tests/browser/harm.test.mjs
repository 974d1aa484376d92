// The back button, double clicks, two tabs and old pages do no harm.
import assert from 'node:assert/strict';
import { after, before, describe, it as step } from 'node:test';
import { launch } from './browser.mjs';
import {
  bayside,
  chain,
  connectQuickBooks,
  enterAutotask,
  fillSettings,
  follow,
  identify,
  signIn,
  startDemo,
} from './demo.mjs';

const grace = 'grace@bayside.example';

describe('impatient people', { concurrency: false }, () => {
  let demo, browser, context, page;
  const quickbooks = async () => (await demo.world()).quickbooks[bayside.realm];
  const autotask = async () => (await demo.world()).autotask[bayside.user];
  const text = (selector = 'main') => page.locator(selector).innerText();
  /** Presses a button as often as an impatient person does. */
  const hammer = (selector) => page.locator(selector).first().dblclick({ delay: 5 });
  /** Where the browser would have to send a form again, it asks, and there is no page to wait for. */
  const back = async () => {
    await page.goBack().catch(() => null);
    await page.waitForTimeout(500);
  };
  const act = (action, more) => demo.act({ system: 'autotask', database: bayside.user, action, ...more });

  const it = chain(step);

  before(async () => {
    [demo, browser] = await Promise.all([startDemo(), launch()]);
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  it('a_double_click_on_sign_in_signs_in_once', async () => {
    await page.goto(`${demo.base}/sign-in`);
    await hammer('text=Sign in with Intuit');
    await page.waitForURL(`${demo.simulators}/**`);
    await identify(page, grace);
    await follow(page, 'button[value=connect]');
    await page.waitForURL(`${demo.base}/set-up`);
    const [session] = (await context.cookies()).filter((cookie) => cookie.name === 'purser-session');
    assert.ok(session.httpOnly);
    assert.equal(session.sameSite, 'Lax');
  });

  it('going_back_to_intuit_and_answering_again_does_no_harm', async () => {
    await back();
    await page.goto(`${demo.base}/set-up`);
    assert.match(await text('h1'), /Connect your QuickBooks company/);
  });

  it('the_way_back_from_intuit_counts_once', async () => {
    const seen = [];
    page.on('request', (request) => request.url().includes('/oauth/callback') && seen.push(request.url()));
    await connectQuickBooks(page, grace);
    await page.locator('h1:has-text("QuickBooks is connected")').waitFor();
    assert.equal(seen.length, 1);
    const before = (await demo.world()).intuit.live_grants[bayside.realm];
    await page.goto(seen[0]);
    assert.ok(!page.url().includes('code='), page.url());
    await back();
    await page.goto(`${demo.base}/set-up`);
    assert.match(await text('h1'), /QuickBooks is connected/);
    assert.equal((await demo.world()).intuit.live_grants[bayside.realm], before);
    assert.equal(before, 1);
  });

  it('credentials_and_settings_that_are_sent_twice_are_saved_once', async () => {
    await page.goto(`${demo.base}/connection/autotask`);
    await page.fill('#user', bayside.user);
    await page.fill('#secret', bayside.secret);
    await page.fill('#integration_code', bayside.code);
    await hammer('button:has-text("Connect Autotask")');
    await page.locator('h1:has-text("Step 1 Complete")').waitFor();
    await page.goto(`${demo.base}/settings`);
    await fillSettings(page);
    await hammer('button:has-text("Save")');
    await page.locator('h1:has-text("Step 2 Complete")').waitFor();
    await page.goto(`${demo.base}/settings/history`);
    assert.equal(await page.locator('main table').count(), 1, 'one change');
  });

  it('a_double_click_on_connect_makes_every_bill_once', async () => {
    await page.goto(`${demo.base}/set-up`);
    await hammer('main form button:has-text("Connect")');
    await page.locator('text=Finished').waitFor({ timeout: 30_000 });
    await back();
    assert.equal((await quickbooks()).bills.length, 6);
    assert.equal((await autotask()).todos.length, 2);
  });

  it('a_double_click_on_run_now_makes_no_bill_twice', async () => {
    await page.goto(`${demo.base}/home`);
    await hammer('button:has-text("Run now")');
    await page.waitForURL(/done=run/);
    await page.locator('button:has-text("Run now")').waitFor();
    assert.equal((await quickbooks()).bills.length, 6);
  });

  it('a_double_click_on_do_it_now_makes_one_bill_and_one_message', async () => {
    await act('submit_order', { order: 6109 });
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', '6109');
    await hammer('button:has-text("Do It Now")');
    await page.locator('text=This attempt is finished').waitFor();
    assert.equal((await quickbooks()).bills.length, 7);
    assert.equal((await demo.mails()).filter((mail) => mail.subject.includes('PO0006109')).length, 1);
  });

  it('sending_an_old_form_again_makes_no_second_bill', async () => {
    await back();
    await page.locator('#order').waitFor();
    await page.fill('#order', '6109');
    await follow(page, 'button:has-text("Do It Now")');
    await page.locator('text=This attempt is finished').waitFor();
    await page.reload();
    assert.equal((await quickbooks()).bills.length, 7);
  });

  it('two_tabs_that_retry_one_order_make_one_bill', async () => {
    await act('edit_line', { line: 61042, unit_cost: '12.34' });
    const other = await context.newPage();
    await Promise.all([page, other].map((tab) => tab.goto(`${demo.base}/logs/6104`)));
    await Promise.all([page, other].map((tab) => follow(tab, 'button:has-text("Retry")')));
    for (const tab of [page, other]) await tab.locator('main .badge:has-text("Billed")').waitFor();
    await other.close();
    const marked = (await quickbooks()).bills.filter((bill) => JSON.stringify(bill).includes('6104'));
    assert.equal((await quickbooks()).bills.length, 8, JSON.stringify(marked));
  });

  it('a_double_click_on_retry_makes_no_second_todo', async () => {
    await page.goto(`${demo.base}/logs/6105`);
    await Promise.all([page.waitForEvent('domcontentloaded'), hammer('button:has-text("Retry")')]);
    await page.locator('button:has-text("Retry")').waitFor();
    const open = (await autotask()).todos.filter((todo) => todo.description.includes('6105') && !todo.completed);
    assert.equal(open.length, 1);
    await page.goto(`${demo.base}/logs`);
    await hammer('tbody button:has-text("Retry")');
    await page.waitForURL((url) => url.pathname !== '/logs' || url.search !== '');
    await page.goto(`${demo.base}/logs/6105`);
    await page.locator('button:has-text("Retry")').waitFor();
    assert.equal((await autotask()).todos.filter((todo) => todo.description.includes('6105')).length, 1);
  });

  it('an_invitation_that_is_sent_twice_invites_once', async () => {
    await page.goto(`${demo.base}/people`);
    await page.fill('#email', 'priya@ledgerline.example');
    await hammer('button:has-text("Invite")');
    await page.locator('h2:has-text("Invited")').waitFor();
    assert.equal(await page.locator('section:has(#invited-h) li').count(), 1);
  });

  it('who_is_invited_as_a_viewer_sees_everything_and_changes_nothing', async () => {
    const guest = await (await browser.newContext()).newPage();
    await signIn(guest, demo, 'priya@ledgerline.example');
    // Signing in makes nobody a member: the invitation is shown, and accepted or not.
    assert.equal(guest.url(), `${demo.base}/companies`);
    assert.match(await guest.locator('main').innerText(), /grace@bayside\.example invites you to .* as viewer/);
    await follow(guest, 'button:has-text("Accept")');
    await guest.locator('text=You are a member of this company now.').waitFor();
    assert.equal(new URL(guest.url()).pathname, '/home');
    for (const path of ['/home', '/logs', '/logs/6105', '/settings', '/connection', '/people', '/sync']) {
      await guest.goto(demo.base + path);
      const buttons = guest.locator('main form[method=post] button:visible:enabled');
      assert.deepEqual(await buttons.allInnerTexts(), [], path);
    }
    await guest.goto(`${demo.base}/sync`);
    await guest.fill('#order', '6105');
    await follow(guest, 'button:has-text("Preview")');
    assert.match(await guest.locator('h1').innerText(), /No bill would be made/);
    await guest.context().close();
  });

  it('the_last_admin_cannot_step_down', async () => {
    await page.goto(`${demo.base}/people`);
    await page.selectOption('li:has-text("You") select', 'viewer');
    await follow(page, 'li:has-text("You") button:has-text("Change role")');
    assert.match(await text(), /admin/i);
    await page.goto(`${demo.base}/account`);
    assert.match(await text(), /Admin: you may change everything/);
  });

  it('who_has_no_right_at_intuit_is_told_whom_to_ask', async () => {
    const guest = await (await browser.newContext()).newPage();
    await signIn(guest, demo, 'sam@bayside.example');
    await guest.goto(`${demo.base}/set-up`);
    await follow(guest, 'button:has-text("Connect to QuickBooks")');
    await guest.check('input[name=email][value="sam@bayside.example"]');
    await follow(guest, 'button[value=sign_in]');
    assert.match(await guest.locator('body').innerText(), /admin/i);
    await guest.context().close();
    const heir = 'noor@bayside.example';
    await demo.act({ system: 'intuit', action: 'add_person', email: heir, name: 'Noor Aziz', realms: { [bayside.realm]: 'admin' } });
    const second = await (await browser.newContext()).newPage();
    await signIn(second, demo, heir);
    await connectQuickBooks(second, heir);
    assert.match(await second.locator('main').innerText(), /connected already[\s\S]*grace@bayside\.example/);
    await second.context().close();
  });

  it('a_double_click_on_disconnect_and_on_sign_out_ends_calmly', async () => {
    const grants = async () => (await demo.world()).intuit.live_grants[bayside.realm];
    const before = await grants();
    await page.goto(`${demo.base}/connection/disconnect`);
    await hammer('main button:has-text("Disconnect")');
    await page.locator('text=Settings and history are kept').waitFor();
    await back();
    await page.goto(`${demo.base}/connection`);
    await connectQuickBooks(page, grace);
    await enterAutotask(page, demo, bayside);
    assert.equal(await grants(), before, 'one ended, one begun');
    await hammer('button:has-text("Sign out")');
    await page.locator('text=You are signed out').waitFor();
    await back();
    await page.waitForLoadState();
    // A page that is shown again from the past shows nothing of the company.
    assert.match(page.url(), /sign-in/);
  });
});
