// The compiled program as a demo, for the tests of its pages: simulators, companies, web application.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.PURSER_PROGRAM ?? join(root, 'target/debug/purser');
const patience = 90_000;
// Mail leaves once a minute, and one that is met by a failure leaves a minute or two later.
const patienceForMail = 300_000;

/** Autotask credentials of the company that is connected by hand. */
export const bayside = {
  user: 'purser@bayside.example',
  secret: 'demo-secret-bayside',
  code: 'BAYSIDEDEMOTRACKINGCODE',
  realm: '9130355001000005',
};

/** Makes tests of which each stands on those before it: after one that failed no other is run. */
export function chain(step) {
  let broken;
  return (name, act) =>
    step(name, async () => {
      if (broken) throw new Error(`not run, because ${broken} failed`);
      broken = name;
      await act();
      broken = undefined;
    });
}

/**
 * Starts a demo and waits until its first run is over. PURSER_STORY_URL names an application that runs
 * already, such as the functions in the emulator, PURSER_STORY_SIMULATORS its simulators and
 * PURSER_STORY_MAILS where the mails it has sent can be read; then that one is used.
 */
export async function startDemo() {
  if (process.env.PURSER_STORY_URL) return elsewhere(process.env);
  const parent = join(root, 'target/browser');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'demo-'));
  const environment = { ...process.env, PURSER_DATA: join(folder, 'data') };
  const child = spawn(program, ['demo', '--port', '0', '--web-port', '0'], { env: environment });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const began = Date.now();
  while (!/ duplicates /.test(said)) {
    if (child.exitCode !== null) throw new Error(`the demo ended by itself:\n${said}`);
    if (Date.now() - began > patience) throw new Error(`the demo did not start:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const address = (what) => new RegExp(`${what}: (http://[^/]+)/`).exec(said)[1];
  return {
    isElsewhere: false,
    base: address('Web application'),
    ...vendors(address('Simulators of Autotask, QuickBooks and Intuit')),
    /** The mails that were kept, as no relay is configured. */
    mails: async () => JSON.parse(execFileSync(program, ['outbox', '--json'], { env: environment })),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An application that runs already. */
function elsewhere({ PURSER_STORY_URL, PURSER_STORY_SIMULATORS, PURSER_STORY_MAILS }) {
  return {
    isElsewhere: true,
    base: PURSER_STORY_URL,
    ...vendors(PURSER_STORY_SIMULATORS),
    /** The mails that were sent, as the emulator keeps them. */
    async mails() {
      const { messages } = await (await fetch(PURSER_STORY_MAILS)).json();
      const sent = Object.values(messages).flat();
      return sent.flatMap((mail) => mail.To.map((to) => ({ to, subject: mail.Subject })));
    },
    async stop() {},
  };
}

function vendors(simulators) {
  return {
    simulators,
    /** A person acts in one of the vendors' systems. */
    act: (action) => control(simulators, 'action', action),
    /** Everything that stands in the vendors' systems. */
    world: () => control(simulators, 'world'),
  };
}

/** The first mail to an address; where mail is sent once a minute it is waited for. */
export async function mailTo(demo, address) {
  const end = Date.now() + patienceForMail;
  for (;;) {
    const mail = (await demo.mails()).find((mail) => mail.to === address);
    if (mail) return mail;
    if (Date.now() > end) throw new Error(`no mail went to ${address}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function control(simulators, name, body) {
  const method = body ? 'POST' : 'GET';
  const answer = await fetch(`${simulators}/_simulator/${name}`, { method, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${name}: ${text}`);
  return JSON.parse(text);
}

/**
 * Clicks what leads to another page and waits until that page is there. A click alone ends when the old page
 * may still be shown: a browser on a busy machine begins to leave it a moment later.
 */
export async function follow(page, selector) {
  const there = page.waitForEvent('domcontentloaded');
  // Where the click fails, it says why.
  there.catch(() => {});
  await page.click(selector);
  await there;
}

/** On Intuit's pages: says who one is. */
export async function identify(page, email) {
  await page.check(`input[name=email][value="${email}"]`);
  await follow(page, 'button[value=sign_in]');
}

/** Signs in, with the consent that is asked for the first time. */
export async function signIn(page, demo, email) {
  await page.goto(`${demo.base}/sign-in`);
  await follow(page, 'text=Sign in with Intuit');
  await identify(page, email);
  if (await page.locator('button[value=connect]').count()) await follow(page, 'button[value=connect]');
}

/** Connects the QuickBooks company of the person who is signed in. */
export async function connectQuickBooks(page, email) {
  await follow(page, 'button:has-text("Connect to QuickBooks")');
  await identify(page, email);
  await follow(page, 'button[value=choose]');
  await follow(page, 'button[value=connect]');
}

/** Enters Autotask credentials. */
export async function enterAutotask(page, demo, { user, secret, code }) {
  await page.goto(`${demo.base}/connection/autotask`);
  await page.fill('#user', user);
  await page.fill('#secret', secret);
  await page.fill('#integration_code', code);
  await follow(page, 'button:has-text("Connect Autotask")');
}

/** Fills the settings form with what the demo company needs; does not save. */
export async function fillSettings(page) {
  await page.fill('#days_back', '30');
  await page.check('input[name=number_source][value=quickbooks]');
  await page.check('input[name=missing_item][value=create]');
  for (const [id, label] of [
    ['created_item_account', 'Hardware for Resale'],
    ['payable_account', 'Accounts Payable (A/P)'],
    ['todo_action_type', 'Accounting follow-up'],
    ['todo_resource', 'Olivia Bennett'],
  ]) {
    await page.selectOption(`#${id}`, { label });
  }
}

/** From the first page to the first run. */
export async function setUpBayside(page, demo) {
  await signIn(page, demo, 'grace@bayside.example');
  await connectQuickBooks(page, 'grace@bayside.example');
  await enterAutotask(page, demo, bayside);
  await page.goto(`${demo.base}/settings`);
  await fillSettings(page);
  await follow(page, 'button:has-text("Save")');
  await follow(page, 'main form button:has-text("Connect")');
  await page.locator('text=Finished').waitFor({ timeout: patience });
}
