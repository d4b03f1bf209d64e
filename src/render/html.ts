/**
 * The shell of the product's pages without a script: one self-contained file that can load nothing from anywhere.
 *
 * @example
 * const html = page('Prosopon: result of one scan', 'table { border-collapse: collapse; }', `<h1>${escapeHtml(title)}</h1>`);
 */

/** A whole page. `title` and `style` are ours and stand as they are; `body` is HTML, its text escaped by the caller. */
export function page(title: string, style: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${style}
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe in HTML and in its attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}
