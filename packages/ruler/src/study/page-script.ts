/**
 * The program of a study's page, as the text that stands in it: plain JavaScript without modules or libraries,
 * because the page is opened from a folder, where browsers load neither. Its test runs it in a real browser.
 *
 * What is kept (localStorage, under the study's and worker's own name): the answers with their seconds, and the
 * question shown. Nothing else is stored and nothing is sent.
 *
 * @example
 * const html = `<script>${PAGE_SCRIPT}</script>`;
 */
export const PAGE_SCRIPT = String.raw`
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const { study, worker, questions, pictures } = JSON.parse(byId('data').textContent);
  const place = 'prosopon-study-' + study + '-' + worker;
  const last = questions.length;
  // at: -1 before the start, 0 to last - 1 the question shown, last at the end.
  let state = { at: -1, answers: {} };
  let shownAt = 0;
  let unsaved = false;

  try {
    const kept = JSON.parse(localStorage.getItem(place) ?? 'null');
    if (kept !== null) {
      const answers = {};
      for (const { id } of questions) {
        const given = kept.answers?.[id];
        if (given !== undefined && /^([1-5]|u)$/.test(given.answer)) answers[id] = given;
      }
      const at = Number.isInteger(kept.at) ? Math.min(Math.max(kept.at, -1), last) : -1;
      state = { at, answers };
    }
  } catch {
    warn();
  }

  function warn() {
    byId('notice').textContent =
      'This browser does not let the page keep your answers: please answer all questions without closing or reloading it.';
    byId('notice').hidden = false;
    unsaved = true;
  }

  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify(state));
    } catch {
      warn();
    }
  }

  const source = (name) => 'data:image/png;base64,' + pictures[name];
  const given = () => questions.filter(({ id }) => state.answers[id] !== undefined).length;

  const candidates = [1, 2, 3, 4, 5].map((n) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-keyshortcuts', String(n));
    const image = document.createElement('img');
    image.width = 256;
    image.height = 256;
    image.alt = 'Head ' + n;
    const key = document.createElement('kbd');
    key.textContent = String(n);
    key.setAttribute('aria-hidden', 'true');
    button.append(image, key);
    button.addEventListener('click', () => answer(String(n)));
    byId('candidates').append(button);
    return { button, image };
  });

  function show(say) {
    const { at } = state;
    byId('intro').hidden = at !== -1;
    byId('task').hidden = at < 0 || at >= last;
    byId('end').hidden = at < last;
    if (at === -1) {
      byId('start').textContent = last === 1 ? 'Start' : 'Start: ' + last + ' questions';
    } else if (at < last) {
      const question = questions[at];
      const chosen = state.answers[question.id]?.answer;
      byId('counter').textContent = 'Question ' + (at + 1) + ' of ' + last;
      byId('progress').max = last;
      byId('progress').value = given();
      byId('query').querySelector('img').src = source(question.query);
      candidates.forEach(({ button, image }, i) => {
        image.src = source(question.candidates[i]);
        button.setAttribute('aria-pressed', String(chosen === String(i + 1)));
      });
      byId('uncertain').setAttribute('aria-pressed', String(chosen === 'u'));
      byId('back').disabled = at === 0;
      shownAt = performance.now();
      window.scrollTo(0, 0);
    } else {
      byId('summary').textContent = 'You answered ' + given() + ' of ' + last + ' questions. Please save your answers now.';
      byId('saved').textContent = '';
    }
    const heading = document.querySelector('main:not([hidden]) h1');
    // So that a screen reader and the Tab key begin at the new question.
    heading.focus({ preventScroll: true });
    byId('status').textContent = say ?? '';
  }

  function answer(text) {
    const question = questions[state.at];
    if (question === undefined) return;
    const seconds = Math.round((performance.now() - shownAt) / 100) / 10;
    state.answers[question.id] = { answer: text, seconds };
    state.at++;
    keep();
    show((text === 'u' ? 'Uncertain' : 'Head ' + text) + ' noted.');
  }

  function back() {
    if (state.at <= 0) return;
    state.at--;
    keep();
    const chosen = state.answers[questions[state.at].id]?.answer;
    show(chosen === undefined ? 'One step back.' : 'One step back. Your answer was ' + (chosen === 'u' ? 'uncertain' : 'head ' + chosen) + '.');
  }

  function save() {
    const lines = ['study,worker,question,answer,seconds'];
    for (const { id } of questions) {
      const kept = state.answers[id];
      if (kept !== undefined) lines.push([study, worker, id, kept.answer, kept.seconds].join(','));
    }
    const url = URL.createObjectURL(new Blob([lines.join('\r\n') + '\r\n'], { type: 'text/csv' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = 'answers-' + study.slice(0, 8) + '-worker-' + String(worker).padStart(2, '0') + '.csv';
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    unsaved = false;
    byId('saved').textContent = 'Saved as ' + link.download + ' in your downloads.';
  }

  function forget() {
    const button = byId('forget');
    if (button.dataset.sure === undefined) {
      button.dataset.sure = '';
      button.textContent = 'Really delete? Press once more';
      return;
    }
    try {
      localStorage.removeItem(place);
    } catch {
      // What could not be stored is not there to delete.
    }
    delete button.dataset.sure;
    button.textContent = 'Delete my answers from this browser';
    state = { at: -1, answers: {} };
    show('Answers deleted.');
  }

  byId('start').addEventListener('click', () => {
    state.at = 0;
    keep();
    show();
  });
  byId('uncertain').addEventListener('click', () => answer('u'));
  byId('back').addEventListener('click', back);
  byId('back-from-end').addEventListener('click', back);
  byId('save').addEventListener('click', save);
  byId('forget').addEventListener('click', forget);
  document.addEventListener('keydown', (event) => {
    // A key held down would answer one question after the other.
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || state.at < 0) return;
    const key = event.key.toLowerCase();
    if (key === 'b') back();
    else if (state.at >= last) return;
    else if (key === 'u') answer('u');
    else if (/^[1-5]$/.test(key)) answer(key);
    else return;
    event.preventDefault();
  });
  window.addEventListener('beforeunload', (event) => {
    if (unsaved && given() > 0) event.preventDefault();
  });
  show();
})();
`;
