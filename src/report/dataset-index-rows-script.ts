/**
 * The part of a data set's page that makes a scan's row: its cells, its details, its pictures and the controls of a decision.
 * Plain JavaScript in the page's script (dataset-index-script.ts); what records hold is put in as text, never as markup.
 *
 * @example
 * const INDEX_SCRIPT = `(() => { ${ROWS_SCRIPT} })();`;
 */
export const ROWS_SCRIPT = String.raw`
  const make = (tag, properties, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties ?? {}))
      if (name.includes('-') || name === 'role') element.setAttribute(name, value);
      else element[name] = value;
    element.append(...children);
    return element;
  };

  // A path may break after a slash or underscore, and keeps its own direction.
  const pathOf = (path) => make('bdi', { className: 'path' }, ...path.split(/(?<=[/_])/u).flatMap((part) => [part, make('wbr')]));

  const figureOf = ({ key, factor, digits }, row) => {
    const value = row.figures?.[key];
    return value === undefined ? undefined : (factor * value).toFixed(digits);
  };

  const passed = (row) => row.checks.filter(([, good]) => good).length;

  function cellFor(column, row) {
    const { key, label, factor } = column;
    const cell = make('td', { role: 'cell', 'data-label': label, className: factor === undefined ? 'of-' + key : 'of-figure' });
    const say = (text, className) => cell.append(make('span', { className: className ?? '' }, text));
    if (key === 'place') say(String(row.place + 1));
    else if (key === 'path') cell.append(pathOf(row.path), picturesOf(row, 'thumbs'));
    else if (key === 'status') {
      say(row.status, 'status ' + row.status);
      if (row.reason !== undefined) say(row.reason, 'reason');
      if (row.role !== undefined) say(row.role, 'reason');
    } else if (key === 'checks') {
      const bad = row.checks.length - passed(row);
      if (row.checks.length === 0) say('\u2013', 'none');
      else say(passed(row) + ' of ' + row.checks.length, bad > 0 ? 'bad' : '');
    } else if (key === 'warnings') say(row.warnings.length === 0 ? '\u2013' : String(row.warnings.length), row.warnings.length === 0 ? 'none' : 'warned');
    else if (key === 'decision') cell.append(decisionOf(row));
    else say(figureOf(column, row) ?? '\u2013', figureOf(column, row) === undefined ? 'none' : '');
    return cell;
  }

  // What was not treated has no figures: in their place stands what was found, and what to try.
  const FIRST_FIGURE = columns.findIndex(({ key }) => key === 'checks');
  const AFTER_FIGURES = columns.findIndex(({ key }) => key === 'decision');
  const isUntreated = (row) => row.status !== 'done' && row.checks.length === 0 && row.figures === undefined;
  const whyOf = (row) => (row.status === 'done' ? undefined : reasons[row.status === 'begun' ? 'begun' : row.reason]);
  function whyCell(row) {
    const why = whyOf(row);
    const cell = make('td', { role: 'cell', className: 'of-why', colSpan: AFTER_FIGURES - FIRST_FIGURE });
    const message = row.message ?? why?.meaning;
    if (message !== undefined) cell.append(make('p', {}, message));
    if (why !== undefined) cell.append(make('p', {}, make('strong', {}, 'Try: '), why.advice));
    for (const text of row.warnings) cell.append(make('p', { className: 'warned' }, text));
    return cell;
  }
  function cellsFor(row) {
    if (!isUntreated(row)) return columns.map((column) => cellFor(column, row));
    const cells = (some) => some.map((column) => cellFor(column, row));
    return [...cells(columns.slice(0, FIRST_FIGURE)), whyCell(row), ...cells(columns.slice(AFTER_FIGURES))];
  }

  function picturesOf(row, className) {
    const box = make('div', { className });
    for (const name of row.pictures) {
      const image = make('img', { alt: 'new head, ' + name, width: 88, height: 88 });
      image.dataset.name = name;
      box.append(image);
    }
    return box;
  }

  function decisionOf(row) {
    const button = (decision, label) => {
      const element = make('button', { type: 'button', className: decision, 'aria-pressed': 'false', 'aria-label': label + ' ' + row.path }, label);
      element.addEventListener('click', () => decide(row, decision));
      return element;
    };
    row.buttons = [button('accept', 'Accept'), button('reject', 'Reject')];
    row.input = make('input', { type: 'text', placeholder: 'Note', value: row.note, 'aria-label': 'Note on ' + row.path });
    row.input.addEventListener('input', () => {
      row.note = row.input.value;
      changed();
    });
    return make('div', { className: 'decide' }, ...row.buttons, row.input);
  }

  function showDecision(row) {
    if (row.element === undefined) return;
    row.element.dataset.decision = row.decision;
    for (const button of row.buttons) button.setAttribute('aria-pressed', String(button.classList.contains(row.decision)));
    if (row.input.value !== row.note) row.input.value = row.note;
  }

  function elementOf(row) {
    if (row.element !== undefined) return row.element;
    const element = make('tr', { role: 'row', tabIndex: -1 }, ...cellsFor(row));
    row.toggle = make('button', { type: 'button', className: 'toggle', 'aria-expanded': 'false', 'aria-label': 'Details of ' + row.path }, 'Details');
    row.toggle.addEventListener('click', () => toggle(row));
    element.querySelector('.of-path').append(row.toggle);
    element.addEventListener('focusin', () => {
      current?.element?.removeAttribute('aria-current');
      current = row;
      element.setAttribute('aria-current', 'true');
    });
    row.element = element;
    showDecision(row);
    rowOf.set(element, row);
    return element;
  }

  function toggle(row) {
    const open = row.details === undefined;
    if (open) {
      row.details = detailsOf(row);
      rowOf.set(row.details, row);
      row.element.after(row.details);
      near.observe(row.details);
      row.details.scrollIntoView({ block: 'nearest' });
      row.element.scrollIntoView({ block: 'nearest' });
    } else {
      near.unobserve(row.details);
      row.details.remove();
      row.details = undefined;
    }
    row.toggle.setAttribute('aria-expanded', String(open));
  }

  function detailsOf(row) {
    const cell = make('td', { role: 'cell', colSpan: columns.length });
    const why = whyOf(row);
    if (why !== undefined)
      cell.append(make('p', {}, make('strong', {}, 'Why: '), why.meaning), make('p', {}, make('strong', {}, 'What to try: '), why.advice));
    if (row.message !== undefined) cell.append(make('p', {}, make('strong', {}, 'Message: '), row.message));
    if (row.warnings.length > 0) cell.append(make('p', {}, make('strong', {}, 'Warnings')), make('ul', {}, ...row.warnings.map((text) => make('li', {}, text))));
    if (row.checks.length > 0)
      cell.append(make('p', {}, make('strong', {}, 'Checks')), make('ul', { className: 'checks' }, ...row.checks.map(([name, good, value]) =>
        make('li', {}, name + ': ', make('span', { className: good ? 'good' : 'bad' }, good ? 'passed' : 'FAILED'), ' (' + value + ')'))));
    if (row.output !== undefined) cell.append(make('p', {}, make('strong', {}, 'Result: '), pathOf(row.output)));
    if (row.pictures.length > 0) cell.append(picturesOf(row, 'large'));
    if (cell.childElementCount === 0) cell.append(make('p', {}, 'Nothing further is known of this scan.'));
    return make('tr', { role: 'row', className: 'details' }, cell);
  }

  function fill(element, wanted) {
    const images = element.querySelectorAll('img[data-name]');
    if (images.length === 0) return;
    const block = wanted ? byId('pictures-' + rowOf.get(element).place) : null;
    // Not there yet while a long page is still being read; asked for again when it is.
    const pictures = block === null ? {} : JSON.parse(block.textContent);
    for (const image of images)
      if (pictures[image.dataset.name] !== undefined) image.src = 'data:image/png;base64,' + pictures[image.dataset.name];
      else if (!wanted) image.removeAttribute('src');
  }
`;
