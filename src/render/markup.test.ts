/** Whatever is put into a page is text in it: read back by an HTML reader of its own, it is what was put in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, renderMarkup, renderPage } from './markup.js';

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };
const plain = (text: string): string =>
  text.replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');

describe('html', () => {
  it('escapes text and attributes, whatever they hold', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('<', '>', '&', '"', "'", '/', '=', 'a', ' ', 'é', '\n'),
    });
    fc.assert(
      fc.property(nasty, nasty, (text, attribute) => {
        const out = renderMarkup(html`<p title=${attribute}>${text}</p>`);
        const found = /^<p(?: title(?:="([^"]*)")?)?>([^<]*)<\/p>$/.exec(out);
        expect(found).not.toBeNull();
        expect(plain(found?.[1] ?? '')).toBe(attribute);
        expect(plain(found?.[2] ?? '')).toBe(text);
      }),
    );
  });

  it('takes no markup out of a string, and parts of a page out of templates and lists', () => {
    const row = (name: string) => html`<li>${name}</li>`;
    expect(renderMarkup(html`<ul>${['<script>alert(1)</script>', 'b'].map(row)}</ul>`)).toBe(
      '<ul><li>&lt;script>alert(1)&lt;/script></li><li>b</li></ul>',
    );
    expect(renderMarkup(html`<i/>${undefined}<b>${false}${0}</b>`)).toBe('<i></i><b>0</b>');
    expect(renderMarkup(undefined)).toBe('');
  });

  it('stands in a page that may load nothing', () => {
    const out = renderPage('<T>', 'p { color: red; }', html`<p>a & b</p>`);
    expect(out).toMatch(/^<!doctype html>\n/);
    expect(out).toContain("default-src 'none'");
    expect(out).toContain('<title>&lt;T></title>');
    expect(out).toContain('<body>\n<p>a &amp; b</p>\n</body>');
  });
});
