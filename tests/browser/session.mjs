// Signs in to a demo without a browser and prints the cookie of the session, for programs.
//
//   .tools/bin/node tests/browser/session.mjs BASE_URL EMAIL

const [base, email] = process.argv.slice(2);

/** One request that follows no redirect, with the cookies kept by hand. */
async function send(url, { cookies = '', form } = {}) {
  const headers = { cookie: cookies, origin: new URL(url).origin };
  const method = form ? 'POST' : 'GET';
  const body = form && new URLSearchParams(form);
  const answer = await fetch(url, { method, headers, body, redirect: 'manual' });
  return { status: answer.status, to: answer.headers.get('location'), set: answer.headers.getSetCookie() };
}

const named = (set, name) => set.map((line) => line.split(';')[0]).find((pair) => pair.startsWith(`${name}=`));

const begun = await send(`${base}/sign-in`, { form: { next: '/home' } });
const browser = named(begun.set, 'purser-browser');
const form = { email, action: 'connect', ...Object.fromEntries(new URL(begun.to).searchParams) };
const consented = await send(begun.to, { form });
const back = await send(consented.to, { cookies: browser });
const session = named(back.set, 'purser-session');
if (!session) throw new Error(`${email} could not sign in: ${back.status} ${back.to}`);
console.log(session);
