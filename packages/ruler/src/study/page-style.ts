/**
 * The look of a study's page: dark on light, every text at a contrast of at least 4.5 to 1, a focus ring that is
 * seen, five candidates of one size at any width (a larger one would be chosen more often), and a layout that flows
 * to one narrow column (200 % zoom of a 1280 px screen leaves 640 px).
 *
 * @example
 * const html = `<style>${PAGE_STYLE}</style>`;
 */
export const PAGE_STYLE = `
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
main { max-width: 78rem; margin: 0 auto; padding: 1rem; }
#intro, #end { max-width: 42rem; }
#intro li { margin-bottom: 0.35rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0; }
h1:focus { outline: none; }
#task header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1rem; }
#task h1 { font-size: 1.1rem; margin: 0; }
#task h2 { font-size: 1rem; font-weight: 600; text-align: center; margin: 0.75rem 0 0.5rem; }
progress { flex: 1 1 10rem; height: 0.75rem; accent-color: #0b57d0; }
figure { margin: 0.5rem auto 0; text-align: center; }
figcaption { font-weight: 600; margin-bottom: 0.35rem; }
img { display: block; margin: 0 auto; height: auto; max-width: 100%; background: #000; }
#query img { width: min(16rem, 38vh); min-width: 9rem; }
#candidates { --columns: 5; --gap: 0.6rem; display: flex; flex-wrap: wrap; justify-content: center; gap: var(--gap); }
#candidates button { flex: 0 0 calc((100% - (var(--columns) - 1) * var(--gap)) / var(--columns)); padding: 0.4rem; }
@media (max-width: 48rem) { #candidates { --columns: 3; } }
@media (max-width: 24rem) { #candidates { --columns: 2; } }
#candidates img { width: 100%; margin-bottom: 0.3rem; }
#actions { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.6rem; margin-top: 1rem; }
button { font: inherit; color: #1a1a1a; background: #f4f4f4; border: 2px solid #6b6b6b; border-radius: 0.4rem; padding: 0.5rem 1rem; min-height: 2.75rem; cursor: pointer; }
button:hover { background: #e6eefc; border-color: #0b57d0; }
button:focus-visible { outline: 4px solid #0b57d0; outline-offset: 2px; }
button:disabled { color: #5c5c5c; background: #fff; border-color: #b5b5b5; cursor: default; }
button.main { color: #fff; background: #0b57d0; border-color: #0b57d0; font-weight: 600; }
button.main:hover { background: #08409b; border-color: #08409b; }
button[aria-pressed="true"] { background: #d3e3fd; border-color: #0b57d0; box-shadow: inset 0 0 0 2px #0b57d0; }
kbd { font: 600 0.9em ui-monospace, monospace; color: #1a1a1a; background: #fff; border: 1px solid #6b6b6b; border-radius: 0.25rem; padding: 0 0.4em; }
.chosen { font-size: 0.9rem; }
.notice { max-width: 42rem; margin: 1rem auto 0; padding: 0.75rem 1rem; color: #1a1a1a; background: #fff3cd; border: 2px solid #8a6100; border-radius: 0.4rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { button[aria-pressed="true"] { border-style: double; border-width: 4px; } }
`;
