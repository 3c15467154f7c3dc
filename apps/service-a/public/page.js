/** Page: runs the chain and the attacks in place. Without it every link and every form of the page works by itself. */

const progress = document.querySelector('#attacks-progress');
const runAll = document.querySelector('#run-all');

/** A page of this service, whatever its status says; only what the server made of it is put into ours. */
async function pageAt(url, init) {
  const response = await fetch(url, { ...init, headers: { accept: 'text/html' }, redirect: 'error' });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/html')) throw new Error(`Not a page: ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), 'text/html');
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

async function showChain(link) {
  const place = document.querySelector('#chain-place');
  place.setAttribute('aria-busy', 'true');
  try {
    const result = (await pageAt(link.href)).querySelector('#chain-result');
    if (result === null) throw new Error('No result on the page');
    place.replaceChildren(document.adoptNode(result));
    result.tabIndex = -1;
    result.focus();
  } catch {
    location.assign(link.href);
  } finally {
    place.removeAttribute('aria-busy');
  }
}

// --- the attacks

const forms = [...document.querySelectorAll('.attack form')];

for (const form of forms) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void inTurn(async () => {
      const refused = await attack(form);
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
      if (await attack(form)) refused += 1;
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

/** Whether it was refused as it was due; puts what came of it under its form. */
async function attack(form) {
  const place = placeOf(form);
  place.setAttribute('aria-busy', 'true');
  try {
    const page = await pageAt(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    const outcome = page.querySelector('.outcome');
    if (outcome === null) throw new Error('No outcome on the page');
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
