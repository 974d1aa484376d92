// Makes the pages nicer; each works without. A module: strict, deferred, nothing global.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (words) => {
  document.getElementById('say').textContent = words;
};

// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = 'yes';
  // After the event, so that the pressed button's own name and value are still sent.
  setTimeout(() => all('button', document).forEach((button) => {
    if (button.form === form && button.type === 'submit') button.disabled = true;
  }));
});
addEventListener('pageshow', () => {
  all('form[data-sent]').forEach((form) => {
    delete form.dataset.sent;
    [...form.elements].forEach((element) => element.type === 'submit' && (element.disabled = false));
  });
});

// What is wrong with a form is read out first.
document.querySelector('[data-focus]')?.focus();

// A field that belongs to one choice only: data-show-when="field=value".
const arrange = () => all('[data-show-when]').forEach((part) => {
  const [name, value] = part.dataset.showWhen.split('=');
  const chosen = document.querySelector(`[name="${name}"]:checked`);
  part.hidden = chosen?.value !== value;
});
document.addEventListener('change', arrange);
arrange();

const button = (words, act) => {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'little';
  made.textContent = words;
  made.addEventListener('click', () => act(made));
  return made;
};

// Secrets can be looked at while they are typed.
all('[data-secret]').forEach((input) => {
  const show = button('Show', () => {
    const isHidden = input.type === 'password';
    input.type = isHidden ? 'text' : 'password';
    show.textContent = isHidden ? 'Hide' : 'Show';
    show.setAttribute('aria-pressed', isHidden);
  });
  show.setAttribute('aria-label', 'Show the secret');
  show.setAttribute('aria-pressed', false);
  const pair = document.createElement('div');
  pair.className = 'pair';
  input.replaceWith(pair);
  pair.append(input, show);
  // Password managers are offered a secret, never the text of one.
  input.form.addEventListener('submit', () => (input.type = 'password'));
});

// A file fills the text that is imported.
all('[data-file-for]').forEach((place) => {
  place.hidden = false;
  const input = place.querySelector('input');
  input.addEventListener('change', async () => {
    const text = document.getElementById(place.dataset.fileFor);
    if (input.files[0]) text.value = await input.files[0].text();
    say('The text of the file is in the field.');
  });
});

// Codes can be copied.
if (navigator.clipboard) {
  all('code[data-copy]').forEach((code) => {
    const copy = button('Copy', async () => {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = 'Copied';
      say('Copied.');
      setTimeout(() => (copy.textContent = 'Copy'), 2000);
    });
    copy.setAttribute('aria-label', `Copy ${code.textContent}`);
    code.after(copy);
  });
}

// Parts that are looked at again: data-poll="address" (empty: this page), data-poll-seconds.
const isBusy = (part) => {
  const selection = getSelection();
  const isSelecting = !selection.isCollapsed && part.contains(selection.anchorNode);
  return isSelecting || part.contains(document.activeElement) || part.querySelector('[data-sent]');
};
// A form's secret belongs to one session and one company.
const secretOf = (page) => page.querySelector('.me [name=form_secret]')?.value;
const stop = (part, words) => {
  const note = document.createElement('p');
  note.className = 'notice note';
  note.textContent = words;
  part.prepend(note);
  say(words);
};
const poll = (id, failures = 0) => {
  const part = document.getElementById(id);
  if (part?.dataset.poll === undefined) return;
  const seconds = Number(part.dataset.pollSeconds) || 5;
  setTimeout(async () => {
    if (document.hidden) {
      return document.addEventListener('visibilitychange', () => poll(id, failures), { once: true });
    }
    if (isBusy(part)) return poll(id, failures);
    try {
      const answer = await fetch(part.dataset.poll || location.href, { headers: { accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById(id);
      if (answer.ok && secretOf(page) && secretOf(page) !== secretOf(document)) {
        // Another tab has switched: half a page of each company would be worse than an old one.
        return stop(part, 'You look at another company now. Load this page again to see it.');
      }
      if (!answer.ok || !fresh) throw new Error('no such part');
      if (!isBusy(part) && !part.isEqualNode(fresh)) {
        const open = all('details', part).map((details) => details.open);
        all('details', fresh).forEach((details, index) => (details.open ||= open[index]));
        part.replaceWith(fresh);
        if (fresh.dataset.say !== part.dataset.say) say(fresh.dataset.say ?? '');
      }
      poll(id);
    } catch {
      if (failures < 4) return poll(id, failures + 1);
      stop(part, 'This page no longer keeps itself up to date. Load it again to see how things stand.');
    }
  }, seconds * 1000 * 2 ** failures);
};
all('[data-poll][id]').forEach((part) => poll(part.id));
