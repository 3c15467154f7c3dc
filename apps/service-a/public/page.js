/**
 * Runs the chain and the attacks on the current page. Without this script, every link and form still works.
 */

const progress = document.querySelector('#attacks-progress');
const runAll = document.querySelector('#run-all');

/** Exceeds every deadline of the services. */
const DEADLINE_MS = 30_000;

/** Fetches a page of this service, whatever its status. The current page shows elements of the fetched page. */
async function pageAt(url, init) {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await fetch(url, { ...init, headers: { accept: 'text/html' }, redirect: 'error', signal });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/html')) throw new Error(`Not a page: ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  return { page, isSignedOut: response.status === 401 };
}

/** Replaces the whole page, because the page of an ended session is outdated. */
function showInstead(page) {
  events?.close();
  const main = document.adoptNode(page.querySelector('main'));
  document.querySelector('main').replaceWith(main);
  document.title = page.title;
  focus(main);
}

/** Focuses the heading of the new content at the top, where readers begin. */
function focus(element) {
  const heading = element.querySelector('h1, h2') ?? element;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: 'start' });
}

// --- the watched session

const watch = document.querySelector('#watch');
/** The number of times that the browser may reconnect automatically. */
const MAX_BREAKS = 3;
/** The stream of events that Service A sends to a logged-in user. */
const events = watch === null ? undefined : new EventSource(watch.dataset.events);

if (events !== undefined) {
  events.addEventListener('state', ({ data }) => turn(data));
  events.addEventListener('end', () => end(''));
  // Limits the reconnects, since endless reconnects would look like an active visitor.
  let breaks = 0;
  events.addEventListener('error', () => {
    breaks += 1;
    if (events.readyState === EventSource.CLOSED || breaks > MAX_BREAKS) end('Service A does not answer. ');
  });
}

function end(why) {
  events.close();
  // The service refused the stream to this visitor, or too many streams are open.
  if (watch.dataset.watch === undefined) watch.hidden = true;
  if (watch.dataset.watch !== 'watching') return;
  document.querySelector('#watch-words').textContent = `${why}The tokens are not watched any more: reload the page.`;
}

/** Replaces each element that the server rendered, and keeps all other elements. */
function turn(html) {
  const came = new DOMParser().parseFromString(html, 'text/html');
  for (const id of ['watch-words', 'watch-details', 'session']) {
    const [there, piece] = [document.getElementById(id), came.getElementById(id)];
    if (there === null || piece === null) continue;
    const hadFocus = there.contains(document.activeElement);
    there.replaceChildren(...[...piece.childNodes].map((node) => document.adoptNode(node)));
    if (hadFocus) focus(there);
  }
  watch.dataset.watch = came.querySelector('[data-watch]').dataset.watch;
  if (came.title !== '') document.title = came.title;
}

// --- the matrix of stolen tokens

const tokensForm = document.querySelector('#try-tokens');

tokensForm?.addEventListener('submit', (event) => {
  event.preventDefault();
  void tryTokens();
});
tokensForm?.addEventListener('change', () => void tryTokens());

const SWITCH = 'pass_on';
let isTrying = false;

/** Repeats the request if the visitor has moved the switch meanwhile. */
async function tryTokens() {
  if (isTrying) return;
  isTrying = true;
  const form = new FormData(tokensForm);
  const [words, button] = [document.querySelector('#matrix-progress'), tokensForm.querySelector('button')];
  document.querySelector('#matrix-table').setAttribute('aria-busy', 'true');
  button.setAttribute('aria-disabled', 'true');
  delete words.dataset.allRefused;
  words.textContent = 'Each token is shown to each service …';
  try {
    const { page } = await pageAt(tokensForm.action, { method: 'POST', body: new URLSearchParams(form) });
    const table = page.querySelector('#matrix-table');
    if (table === null) {
      showInstead(page);
      return;
    }
    // The progress line shows the summary, so the table does not repeat it.
    const said = table.querySelector('.matrix-summary');
    said.remove();
    document.querySelector('#matrix-table').replaceWith(document.adoptNode(table));
    words.textContent = said.textContent;
    words.dataset.allRefused = String(!said.classList.contains('refused'));
    countDown();
  } catch {
    words.textContent = 'The tokens could not be tried: reload the page, and try again.';
  } finally {
    button.removeAttribute('aria-disabled');
    document.querySelector('#matrix-table')?.removeAttribute('aria-busy');
    isTrying = false;
  }
  if (tokensForm.isConnected && form.has(SWITCH) !== new FormData(tokensForm).has(SWITCH)) await tryTokens();
}

/** The expiry of each token on this machine's clock, since the server's clock may differ. */
const ends = new WeakMap();

/** Keycloak counts whole seconds: a token is valid until the end of its last second. */
const SURELY_ENDED_S = 2;
/** The maximum number of repeated requests with an expired token, and the seconds in between. */
const TRIES = 3;
const NEXT_TRY_S = 5;

/** Counts down the lifetime of each token, and then shows that the service refuses the expired token. */
function countDown() {
  for (const time of document.querySelectorAll('[data-seconds-left]')) {
    if (!ends.has(time)) ends.set(time, performance.now() + Number(time.dataset.secondsLeft) * 1000);
    const seconds = Math.ceil((ends.get(time) - performance.now()) / 1000);
    time.textContent = seconds > 0 ? `for ${seconds} s more` : 'it has ended';
    const tries = Number(time.dataset.tries ?? 0);
    if (tries >= TRIES || seconds > -SURELY_ENDED_S - tries * NEXT_TRY_S) continue;
    time.dataset.tries = String(tries + 1);
    void showAgain(time.closest('.cell').querySelector('form'));
  }
}
setInterval(countDown, 1000);

document.querySelector('#matrix')?.addEventListener('submit', (event) => {
  const form = event.target;
  if (form === tokensForm) return;
  event.preventDefault();
  void showAgain(form);
});

/** The requests run one after another, since nine tokens may expire together. */
let lastShown = Promise.resolve();

function showAgain(form) {
  lastShown = lastShown.then(() => showOnce(form));
  return lastShown;
}

/** Presents the token of a cell again, replaces the cell, and announces the result. */
async function showOnce(form) {
  // Meanwhile, a new table may have replaced the table of this form.
  if (!form.isConnected) return;
  const words = document.querySelector('#matrix-progress');
  try {
    const { page, isSignedOut } = await pageAt(form.action, {
      method: 'POST',
      body: new URLSearchParams(new FormData(form)),
    });
    if (isSignedOut) {
      showInstead(page);
      return;
    }
    const shown = page.querySelector('.cell');
    if (!form.isConnected) return;
    if (shown === null) throw new Error('Not shown');
    replaceCell(form.closest('.cell'), shown);
    if (shown.dataset.verdict === 'ended') {
      words.textContent = `A token has ended, and opens nothing any more: ${shown.dataset.label}, it is refused.`;
      words.dataset.allRefused = 'true';
    }
  } catch {
    words.textContent = 'The token could not be shown again: try all tokens again.';
    delete words.dataset.allRefused;
  }
}

/** Replaces a cell, and keeps its open details and the focus. */
function replaceCell(former, shown) {
  const focused = former.contains(document.activeElement) ? document.activeElement.localName : undefined;
  shown.querySelector('details').open = former.querySelector('details').open;
  former.replaceWith(document.adoptNode(shown));
  if (focused !== undefined)
    (shown.querySelector(focused) ?? shown.querySelector('summary')).focus({ preventScroll: true });
  countDown();
}

// --- the chain

for (const link of document.querySelectorAll('main a[href="/run-service-b"]')) {
  link.addEventListener('click', (event) => {
    // A click with a modifier key opens a new tab or window.
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
    // The start page is long, so it shows the parts of the result folded.
    for (const part of result.querySelectorAll('.part')) part.open = false;
    place.replaceChildren(document.adoptNode(result));
    document.title = page.title;
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
      count(form.closest('.attack-group'));
      progress.textContent = refused ? 'Refused, for the expected reason.' : 'Not as expected: see the attack.';
    });
  });
}

runAll?.addEventListener('submit', (event) => {
  event.preventDefault();
  void inTurn(async () => {
    const groups = [...document.querySelectorAll('.attack-group')];
    for (const form of forms) placeOf(form).replaceChildren();
    for (const group of groups) {
      resultOf(group).textContent = 'waits';
      delete resultOf(group).dataset.allRefused;
    }
    let refused = 0;
    for (const group of groups) {
      const ofGroup = await runGroup(group);
      if (ofGroup === undefined) return;
      refused += ofGroup;
    }
    progress.textContent = summary(refused, forms.length);
    progress.dataset.allRefused = String(refused === forms.length);
  });
});

const resultOf = (group) => group.querySelector('.group-result');

/** Runs the attacks of one group. Returns the number of expected refusals, or undefined if attacks are not allowed. */
async function runGroup(group) {
  const ofGroup = [...group.querySelectorAll('.attack form')];
  let refused = 0;
  for (const [index, form] of ofGroup.entries()) {
    progress.textContent = `${group.dataset.title}: attack ${index + 1} of ${ofGroup.length}.`;
    const asExpected = await attack(form);
    if (asExpected === undefined) return undefined;
    if (asExpected) refused += 1;
    count(group);
  }
  return refused;
}

/** Shows, beside a group's title, how many of its attacks were refused as expected. */
function count(group) {
  const [all, outcomes] = [group.querySelectorAll('.attack').length, [...group.querySelectorAll('.outcome')]];
  const refused = outcomes.filter(({ dataset }) => dataset.verdict === 'refused').length;
  const result = resultOf(group);
  result.textContent = `${refused} of ${all} refused`;
  delete result.dataset.allRefused;
  if (refused < outcomes.length) group.open = true;
  if (outcomes.length === all) result.dataset.allRefused = String(refused === all);
}

function summary(refused, all) {
  return refused === all
    ? `All ${all} attacks were refused, each for the expected reason.`
    : `${refused} of ${all} attacks were refused for the expected reason. Look at the others.`;
}

let isRunning = false;

/** Runs the attacks of a visitor one after another. */
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
 * Runs an attack, and shows the outcome under its form. Returns whether the attack got the expected refusal. If the
 * visitor may not run the attack, shows the refusal page and returns undefined.
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
