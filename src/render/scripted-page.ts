/**
 * A page with a script of ours, in one file: its content policy allows that script and that style by their hashes, pictures within
 * the file, and nothing from anywhere. Pages without a script: `markup.ts`.
 *
 * @example
 * const file = scriptedPage({ title, style: STYLE, script: SCRIPT, body: renderMarkup(body) + dataBlock('data', rows) });
 */
import { base64 } from '../volume/bytes.js';
import { sha256Bytes } from '../volume/sha256.js';
import { html, renderMarkup } from './markup.js';

export interface ScriptedPage {
  /** Text. */
  readonly title: string;
  /** CSS and JavaScript of ours, as they stand. */
  readonly style: string;
  readonly script: string;
  /** HTML, its text escaped. */
  readonly body: string;
  /** HTML behind the script: data that it need not wait for. */
  readonly behind?: string;
}

/** The whole file. */
export function scriptedPage({ title, style, script, body, behind = '' }: ScriptedPage): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${renderMarkup(html`<title>${title}</title>`)}
<style>${style}</style>
</head>
<body>
${body}<script>${script}</script>
${behind}</body>
</html>
`;
}

/** Data for a page's script: JSON that no text in it can end, and that is one line whoever reads it. */
export function dataBlock(id: string, data: unknown): string {
  const json = JSON.stringify(data).replace(
    /[<\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `<script type="application/json" id="${id}">${json}</script>\n`;
}

function hashOf(text: string): string {
  return `sha256-${base64(sha256Bytes(new TextEncoder().encode(text)))}`;
}
