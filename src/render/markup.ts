/**
 * HTML that escapes by default: what is put into a template is text, in elements and in attributes, unless it is markup
 * itself. For pages that are made once and have no script; preact draws them to a string (docs/decisions/0032).
 *
 * @example
 * const body = html`<h1>${title}</h1><ul>${names.map((name) => html`<li title=${name}>${name}</li>`)}</ul>`;
 * const file = renderPage('Prosopon: result of one scan', 'table { border-collapse: collapse; }', body);
 */
import { html as template } from 'htm/preact';
import { Fragment, h, type VNode } from 'preact';
import { render } from 'preact-render-to-string';

/** One element or several; nothing where a part of a page is left out. */
export type Markup = VNode | readonly VNode[] | undefined;

/** A template of HTML. Elements are closed as in XML: `<br/>`; attributes that are put in stand without quotes. */
export const html: (strings: TemplateStringsArray, ...values: readonly unknown[]) => VNode | VNode[] =
  template;

/** The HTML of some markup, everything in it that is text escaped. */
export function renderMarkup(markup: Markup): string {
  return render(h(Fragment, null, markup as VNode));
}

/**
 * A whole page in one self-contained file: its content policy lets it load nothing from anywhere and run no script.
 * @param style CSS of ours, as it stands
 */
export function renderPage(title: string, style: string, body: Markup): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
${renderMarkup(html`<title>${title}</title>`)}
<style>
${style}
</style>
</head>
<body>
${renderMarkup(body)}
</body>
</html>
`;
}
