/** Page: runs the chain and the attacks in place. Without it every link and every form of the page works by itself. */

const progress = document.querySelector('#attacks-progress');
const runAll = document.querySelector('#run-all');

/** Longer than every deadline of the services behind an answer. */
const PATIENCE_MS = 30_000;

/** A page of this service, whatever its status says; only what the server made of it is put into ours. */
async function pageAt(url, init) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(url, { ...init, headers: { accept: 'text/html' }, redirect: 'error', signal });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/html')) throw new Error(`Not a page: ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  return { page, isSignedOut: response.status === 401 };
}

/** In place of all that stands here: a page that was made for a session says what is no longer so when that is over. */
function showInstead(page) {
  const main = document.adoptNode(page.querySelector('main'));
  document.querySelector('main').replaceWith(main);
  document.title = page.title;
  focus(main);
}

function focus(element) {
  element.tabIndex = -1;
  element.focus();
}

// --- the chain

for (const link of document.querySelectorAll('main a[href="/run-service-b"]')) {
  link.addEventListener('click', (event) => {
    // With a key held down it is a new tab that is wanted.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void showChain(link);
  });
}

let isCalling = false;

async function showChain(link) {
  if (isCalling) return;
  isCalling = true;
  const [place, words] = ['#chain-place', '#chain-progress'].map((name) => document.querySelector(name));
  words.textContent = 'Service A calls Service B …';
  try {
    const { page, isSignedOut } = await pageAt(link.href);
    const result = page.querySelector('#chain-result');
    if (isSignedOut || result === null) {
      showInstead(page);
      return;
    }
    place.replaceChildren(document.adoptNode(result));
    focus(result);
  } catch {
    location.assign(link.href);
  } finally {
    words.textContent = '';
    isCalling = false;
  }
}

// --- the attacks

const forms = [...document.querySelectorAll('.attack form')];

for (const form of forms) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void inTurn(async () => {
      const refused = await attack(form);
      if (refused === undefined) return;
      progress.textContent = refused ? 'Refused, for the expected reason.' : 'Not as it should be: see the attack.';
    });
  });
}

runAll?.addEventListener('submit', (event) => {
  event.preventDefault();
  void inTurn(async () => {
    for (const form of forms) placeOf(form).replaceChildren();
    let refused = 0;
    for (const [index, form] of forms.entries()) {
      progress.textContent = `Attack ${index + 1} of ${forms.length} is under way; ${refused} refused for the expected reason.`;
      const asDue = await attack(form);
      if (asDue === undefined) return;
      if (asDue) refused += 1;
    }
    progress.textContent = summary(refused, forms.length);
    progress.dataset.allRefused = String(refused === forms.length);
  });
});

function summary(refused, all) {
  return refused === all
    ? `All ${all} attacks were refused, each for the expected reason.`
    : `${refused} of ${all} attacks were refused for the expected reason. Look at the others.`;
}

let isRunning = false;

/** One visitor makes one attack at a time. */
async function inTurn(action) {
  if (isRunning) return;
  isRunning = true;
  delete progress.dataset.allRefused;
  const buttons = document.querySelectorAll('#attacks button');
  for (const button of buttons) button.setAttribute('aria-disabled', 'true');
  try {
    await action();
  } finally {
    for (const button of buttons) button.removeAttribute('aria-disabled');
    isRunning = false;
  }
}

/**
 * Whether it was refused as it was due; puts what came of it under its form. Undefined when it may not be made at all, and
 * the page that says so stands in place of this one.
 */
async function attack(form) {
  const place = placeOf(form);
  place.setAttribute('aria-busy', 'true');
  try {
    const { page } = await pageAt(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    const outcome = page.querySelector('.outcome');
    if (outcome === null) {
      showInstead(page);
      return undefined;
    }
    place.replaceChildren(document.adoptNode(outcome));
    return outcome.dataset.verdict === 'refused';
  } catch {
    place.replaceChildren(notRun());
    return false;
  } finally {
    place.removeAttribute('aria-busy');
  }
}

const placeOf = (form) => form.parentElement.querySelector('.attack-outcome');

function notRun() {
  const [outcome, words] = ['article', 'p'].map((name) => document.createElement(name));
  outcome.className = 'outcome outcome-not_run';
  outcome.dataset.verdict = 'not_run';
  words.className = 'verdict';
  words.textContent = '? Could not be run: Service A did not answer with an outcome. Reload the page, and try again.';
  outcome.append(words);
  return outcome;
}
