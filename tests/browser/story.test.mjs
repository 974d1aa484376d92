// The whole story of an operator and a bookkeeper, in a real browser.
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
  mailTo,
  signIn,
  startDemo,
} from './demo.mjs';

const grace = 'grace@bayside.example';

describe('a company from its first sign-in to its last', { concurrency: false }, () => {
  let demo, browser, context, page;
  const text = (selector) => page.locator(selector).innerText();
  const bills = async () => (await demo.world()).quickbooks[bayside.realm].bills.length;

  const it = chain(step);

  before(async () => {
    demo = await startDemo();
    browser = await launch();
    // The deployment in the emulator has a certificate of its own.
    context = await browser.newContext({ acceptDownloads: true, ignoreHTTPSErrors: demo.isElsewhere });
    page = await context.newPage();
    // A function of the emulator may have to be started for each request.
    page.setDefaultTimeout(demo.isElsewhere ? 60_000 : 30_000);
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  it('a_sign_in_that_is_cancelled_says_so_and_signs_nobody_in', async () => {
    await page.goto(`${demo.base}/launch`);
    await follow(page, 'text=Sign in with Intuit');
    await follow(page, 'button[value=cancel]');
    assert.match(await text('main'), /The sign-in was cancelled at Intuit/);
    assert.equal((await context.cookies()).some((cookie) => cookie.name.endsWith('purser-session')), false);
  });

  it('sign_in_goes_to_intuit_and_ends_at_set_up', async () => {
    await follow(page, 'text=Sign in with Intuit');
    assert.ok(page.url().startsWith(demo.simulators), page.url());
    await identify(page, grace);
    assert.match(await text('main'), /your name and e-mail address/);
    await follow(page, 'button[value=connect]');
    assert.equal(page.url(), `${demo.base}/set-up`);
    await page.reload();
    assert.match(await text('h1'), /Connect your QuickBooks company/);
  });

  it('connect_is_a_consent_of_its_own', async () => {
    await connectQuickBooks(page, grace);
    assert.match(await text('h1'), /QuickBooks is connected. Now enter your Autotask credentials/);
    await page.reload();
    assert.match(await text('h1'), /QuickBooks is connected/);
    assert.equal((await demo.world()).intuit.live_grants[bayside.realm], 1);
  });

  it('a_wrong_secret_saves_nothing_and_a_right_one_completes_step_1', async () => {
    await enterAutotask(page, demo, { ...bayside, secret: 'wrong' });
    assert.match(await text('[role=alert], .notice'), /Autotask refused the API user/);
    assert.equal(await page.inputValue('#user'), bayside.user);
    assert.equal(await page.inputValue('#secret'), '');
    await page.goto(`${demo.base}/set-up`);
    assert.match(await text('h1'), /Now enter your Autotask credentials/);
    await enterAutotask(page, demo, bayside);
    assert.equal(await text('h1'), 'Step 1 Complete. Please Configure Settings.');
    await page.reload();
    assert.equal(await text('h1'), 'Step 1 Complete. Please Configure Settings.');
  });

  it('the_check_shows_each_finding_with_its_remedy', async () => {
    await page.goto(`${demo.base}/connection/check`);
    const found = await text('main');
    assert.match(found, /The user is an API-only user/);
    assert.match(found, /The settings of this tenant are not complete/);
    assert.match(found, /Save the settings first/);
  });

  it('mistakes_in_settings_stand_beside_their_field_and_nothing_is_saved', async () => {
    await page.goto(`${demo.base}/settings`);
    assert.equal(await page.locator('#created_item_account').isVisible(), false);
    await page.check('input[name=missing_item][value=create]');
    assert.equal(await page.locator('#created_item_account').isVisible(), true);
    await page.fill('#days_back', '400');
    await page.fill('#digest_to', 'nobody');
    await follow(page, 'button:has-text("Save")');
    assert.match(await text('main'), /Nothing was saved/);
    for (const field of ['days_back', 'created_item_account', 'payable_account', 'todo_resource', 'digest_to']) {
      assert.equal(await page.getAttribute(`#${field}`, 'aria-invalid'), 'true', field);
    }
    assert.equal(await page.inputValue('#days_back'), '400', 'what was typed stays');
    await page.goto(`${demo.base}/set-up`);
    assert.match(await text('h1'), /Step 1 Complete/);
  });

  it('saved_settings_are_shown_for_review_and_can_be_changed_again', async () => {
    await page.goto(`${demo.base}/settings`);
    await fillSettings(page);
    await follow(page, 'button:has-text("Save")');
    assert.match(await text('h1'), /Step 2 Complete/);
    assert.match(await text('main'), /Hardware for Resale/);
    await follow(page, 'text=Change settings');
    await page.fill('#days_back', '7');
    await follow(page, 'main a:has-text("Cancel")');
    await page.goto(`${demo.base}/settings`);
    assert.equal(await page.inputValue('#days_back'), '30', 'Cancel drops edits');
    await page.fill('#days_back', '20');
    await follow(page, 'button:has-text("Save")');
    assert.match(await text('main'), /Days back\s+20/);
    assert.equal(await bills(), 0, 'nothing is transferred before Connect');
  });

  it('connect_starts_the_first_run_at_once_and_the_page_shows_it_happening', async () => {
    await follow(page, 'main form button:has-text("Connect")');
    await page.locator('text=Finished').waitFor({ timeout: 90_000 });
    await page.locator('#first-run:has-text("6")').waitFor();
    assert.equal(await bills(), 6);
    assert.match(await text('#first-run'), /Billed[\s\S]*Needs you/);
  });

  it('home_shows_what_needs_a_person_first', async () => {
    await page.goto(`${demo.base}/home`);
    assert.equal(await page.locator('a[href="/logs?outcome=billed"] .num').innerText(), '6');
    assert.equal(await page.locator('a[href="/logs?outcome=refused"] .num').first().innerText(), '2');
    await follow(page, 'a[href="/logs/6104"]');
    assert.match(await text('main'), /Line 3 of order PO0006104 has no unit cost/);
    assert.match(await text('main'), /Enter the unit cost in Autotask, then retry/);
  });

  it('a_refused_order_is_repaired_retried_and_billed_without_reload', async () => {
    const line = { database: bayside.user, action: 'edit_line', line: 61042, unit_cost: '12.34' };
    await demo.act({ system: 'autotask', ...line });
    await follow(page, 'button:has-text("Retry")');
    await page.locator('main .badge:has-text("Billed")').waitFor();
    const link = await page.locator('a:has-text("Bill in QuickBooks")').first().getAttribute('href');
    assert.match(link, new RegExp(`deeplinkcompanyid=${bayside.realm}`));
    const { orders, todos } = (await demo.world()).autotask[bayside.user];
    const order = orders.find((order) => order.id === 6104);
    assert.ok(order.external_number && order.external_number !== 'ERROR');
    const todo = todos.find((todo) => todo.description.startsWith('[PO 6104]'));
    await page.locator('text=The to-do is completed').waitFor();
    assert.ok(todo);
    const closed = (await demo.world()).autotask[bayside.user].todos.find((one) => one.id === todo.id);
    assert.ok(closed.completed);
  });

  it('a_preview_shows_the_exact_bill_and_why_each_record_matched', async () => {
    await demo.act({ system: 'autotask', database: bayside.user, action: 'clear_number', order: 6101 });
    await page.goto(`${demo.base}/sync/preview?order=6101`);
    const shown = await text('main');
    assert.match(shown, /This bill would be made/);
    assert.match(shown, /It has the same name/);
    assert.match(shown, /Accounts Payable/);
    assert.match(shown, /Total\s+[\d.]+ USD/);
    assert.match(shown, /it is linked again/i);
  });

  it('a_manual_sync_without_an_id_or_with_a_wrong_one_is_refused', async () => {
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', 'PO0006105');
    await follow(page, 'button:has-text("Do It Now")');
    assert.equal(await page.getAttribute('#order', 'aria-invalid'), 'true');
    assert.match(await text('main'), /whole number such as 4711/);
  });

  it('a_refused_manual_sync_stands_in_red_above_the_overview_and_is_told_to_the_alternate_address', async () => {
    await page.fill('#order', '6105');
    await page.fill('#mail_to', 'books@bayside.example');
    await follow(page, 'button:has-text("Do It Now")');
    await page.locator('text=This attempt is finished').waitFor();
    const shown = await text('main');
    const cause = shown.indexOf('is not set up for purchasing');
    assert.ok(cause >= 0 && cause < shown.indexOf('Overview'), shown);
    assert.match(shown, /books@bayside.example/);
    const mail = await mailTo(demo, 'books@bayside.example');
    assert.match(mail.subject, /PO0006105: not transferred/);
  });

  it('a_manual_sync_without_an_address_is_told_to_whoever_is_signed_in', async () => {
    await page.goto(`${demo.base}/sync`);
    await page.fill('#order', '6101');
    await follow(page, 'button:has-text("Do It Now")');
    await page.locator('text=This attempt is finished').waitFor();
    const mail = await mailTo(demo, grace);
    assert.match(mail.subject, /PO0006101: billed/);
    assert.equal(await bills(), 7, 'the same bill is linked again');
  });

  it('the_log_is_filtered_and_exported', async () => {
    const rows = () => page.locator('tbody tr').count();
    await page.goto(`${demo.base}/logs`);
    assert.equal(await rows(), 8);
    await page.selectOption('#outcome', 'refused');
    await follow(page, 'button:has-text("Filter")');
    assert.equal(await rows(), 1);
    await page.goto(`${demo.base}/logs?text=marlow+%3Cb%3E`);
    assert.equal(await rows(), 1);
    assert.match(await text('tbody'), /Marlow <b>&"Sons"<\/b> Cabling/);
    await page.goto(`${demo.base}/logs?from=2001-01-01&to=2001-01-02`);
    assert.match(await text('main'), /Reset|No order/);
    const csv = await (await context.request.get(`${demo.base}/logs/export?outcome=billed`)).text();
    assert.equal(csv.trim().split('\n').length, 8);
    await page.goto(`${demo.base}/logs`);
    await follow(page, 'a:has-text("Done")');
    assert.equal(page.url(), `${demo.base}/connection`);
  });

  it('a_support_bundle_holds_the_story_and_no_secret', async () => {
    const bundle = await (await context.request.get(`${demo.base}/logs/6105/support`)).text();
    assert.match(bundle, /item.not_purchasable/);
    for (const secret of [bayside.secret, bayside.code, 'RT1-001', 'books@bayside.example', grace]) {
      assert.equal(bundle.includes(secret), false, secret);
    }
  });

  it('the_history_of_settings_names_who_changed_what', async () => {
    await page.goto(`${demo.base}/settings/history`);
    const shown = await text('main');
    assert.match(shown, new RegExp(grace));
    assert.match(shown, /Days back[\s\S]*30[\s\S]*20/);
  });

  it('settings_are_exported_and_imported', async () => {
    const document = await (await context.request.get(`${demo.base}/settings/export`)).json();
    assert.equal(document.days_back, 20);
    await page.goto(`${demo.base}/settings/transfer`);
    await page.fill('#document', JSON.stringify({ ...document, days_back: 9999 }));
    await follow(page, 'button:has-text("Import settings")');
    assert.match(await text('main'), /days_back|Days back/);
    await page.fill('#document', JSON.stringify({ ...document, days_back: 31 }));
    await follow(page, 'button:has-text("Import settings")');
    await page.goto(`${demo.base}/settings`);
    assert.equal(await page.inputValue('#days_back'), '31');
  });

  it('a_disconnect_revokes_the_grant_and_keeps_the_settings', async () => {
    await page.goto(`${demo.base}/connection`);
    await follow(page, 'a:has-text("Disconnect")');
    await follow(page, 'button:has-text("Disconnect")');
    assert.match(await text('main'), /Settings and history are kept/);
    assert.equal((await demo.world()).intuit.live_grants[bayside.realm] ?? 0, 0);
    await connectQuickBooks(page, grace);
    await enterAutotask(page, demo, bayside);
    await page.goto(`${demo.base}/settings`);
    assert.equal(await page.inputValue('#days_back'), '31');
    await page.goto(`${demo.base}/logs/6105`);
    assert.match(await text('main'), /is not set up for purchasing/);
  });

  it('a_session_that_was_signed_out_is_worth_nothing', async () => {
    const cookies = await context.cookies();
    await follow(page, 'button:has-text("Sign out")');
    assert.match(await text('main'), /You are signed out/);
    await context.addCookies(cookies);
    await page.goto(`${demo.base}/home`);
    assert.equal(page.url(), `${demo.base}/sign-in?next=%2Fhome`);
    const answer = await context.request.get(`${demo.base}/api/v1/home`);
    assert.equal(answer.status(), 401);
    await signIn(page, demo, grace);
    assert.equal(page.url(), `${demo.base}/home`, 'a later sign-in needs no consent');
  });
});
