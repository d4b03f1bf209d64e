/**
 * The program of a data set's page, as the text that stands in it: plain JavaScript without modules or libraries, because
 * the page is opened from a folder, where browsers load neither. Its test runs it in a real browser.
 *
 * Rows are data and become elements as they are scrolled to, 60 at a time; pictures are read from blocks of their own when a row
 * comes near the window and let go when it has left. So ten thousand scans open and sort like forty. What is kept
 * (localStorage, under a digest of the page's content): decisions and notes. Nothing is sent.
 *
 * @example
 * const html = `<script>${INDEX_SCRIPT}</script>`;
 */
import { ROWS_SCRIPT } from './dataset-index-rows-script.js';
import { TSV_SCRIPT } from './dataset-index-tsv-script.js';

const TABLE_SCRIPT = String.raw`
  const collator = new Intl.Collator('en', { numeric: true });
  const statuses = ['failed', 'refused', 'begun', 'done'];
  // What a column is sorted by: the worst is the least. Undefined stays at the end either way.
  function sortKey({ key, worst }, row) {
    if (key === 'place') return row.place;
    if (key === 'path') return row.path;
    if (key === 'status') return statuses.indexOf(row.status);
    if (key === 'checks') return row.checks.length === 0 ? undefined : -(row.checks.length - passed(row)) * 1000 + row.checks.length;
    if (key === 'warnings') return -row.warnings.length;
    if (key === 'decision') return ['', 'reject', 'accept'].indexOf(row.decision);
    const value = row.figures?.[key];
    return value === undefined ? undefined : worst * value;
  }

  function arrange() {
    const column = columns.find(({ key }) => key === sorted.key);
    const words = byId('filter').value.toLowerCase().split(/\s+/u).filter((word) => word !== '');
    const decision = byId('by-decision').value;
    const keyed = [];
    for (const row of rows)
      if (
        (status === 'all' || row.status === status) &&
        (decision === 'all' || row.decision === (decision === 'none' ? '' : decision)) &&
        words.every((word) => row.text.includes(word))
      )
        keyed.push({ row, key: sortKey(column, row) });
    const sign = sorted.down ? -1 : 1;
    const order = column.key === 'path' ? collator.compare : (a, b) => a - b;
    keyed.sort((a, b) =>
      a.key === undefined || b.key === undefined
        ? Number(a.key === undefined) - Number(b.key === undefined) || a.row.place - b.row.place
        : sign * order(a.key, b.key) || a.row.place - b.row.place);
    shown = keyed.map(({ row }) => row);
    for (const element of inSight) fill(element, false);
    inSight.clear();
    near.disconnect();
    byId('rows').replaceChildren();
    current?.element?.removeAttribute('aria-current');
    current = undefined;
    drawn = 0;
    draw(60);
    for (const head of document.querySelectorAll('#scans th')) {
      const of = head.querySelector('button').dataset.column === sorted.key;
      // A figure's worst may be its least or its greatest: what is said is the order of the numbers on the screen.
      const rising = sorted.down !== (column.worst === 1);
      head.setAttribute('aria-sort', of ? (rising ? 'ascending' : 'descending') : 'none');
      if (of) way = rising ? 'ascending' : 'descending';
    }
    byId('sort-by').value = sorted.key;
    byId('sort-way').textContent = way === 'ascending' ? '\u2191 Ascending' : '\u2193 Descending';
    byId('shown').textContent = 'Showing ' + shown.length + ' of ' + rows.length;
    byId('nothing').hidden = shown.length > 0;
  }

  function draw(until) {
    for (; drawn < Math.min(until, shown.length); drawn++) {
      const row = shown[drawn];
      byId('rows').append(elementOf(row));
      near.observe(row.element);
      if (row.details !== undefined) {
        byId('rows').append(row.details);
        near.observe(row.details);
      }
    }
    byId('more').hidden = drawn >= shown.length;
    // Observed anew, so that the end of a list that is still in sight calls for more.
    end.unobserve(byId('more'));
    end.observe(byId('more'));
  }

  function sortBy(key, down) {
    sorted = { key, down };
    arrange();
    const label = columns.find((column) => column.key === key).label;
    announce('Sorted by ' + label + ', ' + way + '.');
  }

  function go(step) {
    const at = current === undefined ? -1 : shown.indexOf(current);
    const to = Math.min(Math.max(at + step, 0), shown.length - 1);
    const row = shown[to];
    if (row === undefined) return;
    if (to >= drawn) draw(to + 60);
    row.element.focus({ preventScroll: true });
    row.element.scrollIntoView({ block: 'nearest' });
  }
`;

const DECIDE_SCRIPT = `
  function decide(row, decision) {
    row.decision = row.decision === decision ? '' : decision;
    showDecision(row);
    changed();
    announce(row.decision === '' ? 'Decision taken back.' : row.decision === 'accept' ? 'Accepted.' : 'Rejected.');
  }

  let keeping;
  function changed() {
    unsaved = true;
    count();
    clearTimeout(keeping);
    keeping = setTimeout(keep, 300);
  }

  function count() {
    const of = (decision) => rows.filter((row) => row.decision === decision).length;
    byId('decided').textContent = of('accept') + ' accepted, ' + of('reject') + ' rejected, ' + of('') + ' open';
  }

  function warn() {
    kept = false;
    byId('notice').textContent =
      'This browser does not let the page keep your decisions: save them as a table before you close or reload it.';
    byId('notice').hidden = false;
  }

  function keep() {
    try {
      const some = rows.filter(({ decision, note }) => decision !== '' || note !== '');
      if (some.length === 0) localStorage.removeItem(place);
      else localStorage.setItem(place, JSON.stringify(some.map((row) => [row.place, row.decision, row.note])));
    } catch {
      warn();
    }
  }

  function recall() {
    let stored;
    try {
      stored = JSON.parse(localStorage.getItem(place) ?? '[]');
    } catch {
      warn();
      return;
    }
    if (!Array.isArray(stored)) return;
    for (const entry of stored) {
      const [at, decision, note] = Array.isArray(entry) ? entry : [];
      if (rows[at] === undefined) continue;
      if (decision === 'accept' || decision === 'reject') rows[at].decision = decision;
      if (typeof note === 'string') rows[at].note = note;
    }
  }

  function save() {
    const table = writeDecisions([...rows].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
    const url = URL.createObjectURL(new Blob([table], { type: 'text/tab-separated-values' }));
    const link = make('a', { href: url, download: 'decisions-' + digest.slice(0, 8) + '.tsv' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    unsaved = false;
    announce('Saved as ' + link.download + ' in your downloads.');
  }

  async function load(file) {
    const result = readDecisions(await file.text(), rows);
    if (result === undefined) {
      announce('This is no table of decisions: expected columns path and decision.');
      return;
    }
    for (const row of result.taken) showDecision(row);
    changed();
    announce(result.taken.length + ' rows taken' +
      (result.unknown > 0 ? '; ' + result.unknown + ' of scans that are not here' : '') +
      (result.invalid > 0 ? '; ' + result.invalid + ' with a decision other than accept or reject' : '') + '.');
  }
`;

const KEYS_SCRIPT = `
  const KEYS = {
    j: () => go(1), arrowdown: () => go(1), k: () => go(-1), arrowup: () => go(-1),
    a: () => onCurrent((row) => decide(row, 'accept')),
    r: () => onCurrent((row) => decide(row, 'reject')),
    n: () => onCurrent((row) => row.input.focus()),
    d: () => onCurrent(toggle),
    '/': () => {
      byId('filter').focus();
      byId('filter').select();
    },
    '?': () => byId('help').showModal(),
  };

  function onCurrent(act) {
    if (current === undefined) announce('Choose a scan first: press J.');
    else act(current);
  }

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId('help').open) return;
    const { target, key } = event;
    if (target instanceof Element && target.matches('input, select')) {
      // Out of a field and back to the scans.
      if (key !== 'Escape' && !(key === 'Enter' && target.matches('input'))) return;
      if (target.closest('tr') === null) target.blur();
      go(target.closest('tr') === null && current === undefined ? 1 : 0);
      event.preventDefault();
      return;
    }
    const act = KEYS[key.toLowerCase()];
    // A key held down moves on; it does not decide again and again.
    if (act === undefined || (event.repeat && act !== KEYS.j && act !== KEYS.k && !key.startsWith('Arrow'))) return;
    event.preventDefault();
    act();
  });

  for (const button of document.querySelectorAll('#scans th button'))
    button.addEventListener('click', () => {
      const { column } = button.dataset;
      sortBy(column, sorted.key === column && !sorted.down);
    });
  byId('sort-by').addEventListener('change', () => sortBy(byId('sort-by').value, false));
  byId('sort-way').addEventListener('click', () => sortBy(sorted.key, !sorted.down));
  function choose(next) {
    status = next;
    for (const button of document.querySelectorAll('[data-status]'))
      button.setAttribute('aria-pressed', String(button.dataset.status === status));
  }
  for (const button of document.querySelectorAll('[data-status]'))
    button.addEventListener('click', () => {
      choose(button.dataset.status);
      arrange();
    });
  for (const button of document.querySelectorAll('[data-reason]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      choose('all');
      byId('filter').value = button.dataset.reason;
      arrange();
      byId('tools').scrollIntoView();
      go(1);
    });
  }
  byId('filter').addEventListener('input', arrange);
  byId('by-decision').addEventListener('change', arrange);
  byId('more').addEventListener('click', () => draw(drawn + 60));
  byId('save').addEventListener('click', save);
  byId('load').addEventListener('click', () => byId('file').click());
  byId('file').addEventListener('change', async () => {
    const [file] = byId('file').files;
    if (file !== undefined) await load(file);
    // So that the same file can be chosen again.
    byId('file').value = '';
  });
  byId('ask').addEventListener('click', () => byId('help').showModal());
  byId('close').addEventListener('click', () => byId('help').close());
  window.addEventListener('pagehide', keep);
  window.addEventListener('beforeunload', (event) => {
    if (unsaved && !kept) event.preventDefault();
  });
  // On paper stands all that the filter lets through, with pictures where they are few enough to be printed.
  window.addEventListener('beforeprint', () => {
    draw(shown.length);
    if (shown.length <= 300) for (const { element } of shown) fill(element, true);
  });
  document.addEventListener('DOMContentLoaded', () => {
    for (const element of inSight) fill(element, true);
  });
`;

export const INDEX_SCRIPT = String.raw`
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const { digest, columns, reasons, rows } = JSON.parse(byId('data').textContent);
  const place = 'prosopon-index-' + digest;
  rows.forEach((row, at) => Object.assign(row, {
    place: at, decision: '', note: '', text: [row.path, row.status, row.reason ?? ''].join('\n').toLowerCase(),
  }));
  const rowOf = new WeakMap();
  let shown = rows;
  let drawn = 0;
  let current;
  let status = 'all';
  let sorted = { key: 'place', down: false };
  let way = 'ascending';
  let kept = true;
  let unsaved = false;
  const announce = (text) => { byId('status').textContent = text; };
  const inSight = new Set();
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
      fill(target, isIntersecting);
    }
  }, { rootMargin: '800px' });
  const end = new IntersectionObserver((entries) => {
    if (entries.some(({ isIntersecting }) => isIntersecting) && drawn < shown.length) draw(drawn + 60);
  }, { rootMargin: '1500px' });
${TSV_SCRIPT}${ROWS_SCRIPT}${TABLE_SCRIPT}${DECIDE_SCRIPT}${KEYS_SCRIPT}
  byId('app').hidden = false;
  recall();
  arrange();
  count();
})();
`;
