/**
 * The look of a data set's page: dark on white, every text at a contrast of at least 4.5 to 1, a focus ring that is seen, a table
 * where there is room for one and a card a scan where there is not, and a plain table on paper.
 *
 * @example
 * const html = `<style>${INDEX_STYLE}</style>`;
 */
export const INDEX_STYLE = `
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; padding: 0 1rem 2rem; font: 0.9375rem/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 1rem 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.25rem 0 0.5rem; }
p { margin: 0.25rem 0; }
p, li, dd { max-width: 80rem; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 0.35rem 0; font-weight: 600; }
dl { margin: 0; } dt { font-weight: 600; } dd { margin: 0 0 0.35rem 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.5rem; border-bottom: 1px solid #c9c9c9; overflow-wrap: anywhere; }
button, select, input[type="search"], input[type="text"] { font: inherit; color: #1a1a1a; background: #fff; border: 1px solid #6b6b6b; border-radius: 0.3rem; padding: 0.3rem 0.6rem; min-height: 2.1rem; }
th, button { overflow-wrap: normal; }
button { background: #f4f4f4; cursor: pointer; }
button:hover { background: #e6eefc; border-color: #0b57d0; }
button:focus-visible, select:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid #0b57d0; outline-offset: 1px; }
button[aria-pressed="true"] { background: #d3e3fd; border-color: #0b57d0; box-shadow: inset 0 0 0 1px #0b57d0; font-weight: 600; }
::placeholder { color: #5c5c5c; opacity: 1; }
kbd { font: 600 0.9em ui-monospace, monospace; border: 1px solid #6b6b6b; border-radius: 0.25rem; padding: 0 0.35em; }
.notice { padding: 0.5rem 0.75rem; background: #fff3cd; border: 2px solid #8a6100; border-radius: 0.4rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#tools, .statuses { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem; margin: 0.4rem 0; }
#tools label { display: flex; align-items: center; gap: 0.4rem; }
#filter { width: min(22rem, 60vw); }
#sorting { display: none; }
#status { min-height: 1.45em; color: #3d3d3d; }
#scans thead th { position: sticky; top: 0; z-index: 1; background: #fff; padding: 0.2rem 0.15rem; border-bottom: 2px solid #1a1a1a; box-shadow: 0 1px 0 #1a1a1a; }
#scans th button { width: 100%; text-align: left; border-color: transparent; background: none; padding: 0.2rem 0.35rem; font-weight: 600; line-height: 1.2; }
#scans th button:hover { border-color: #0b57d0; }
#scans th[aria-sort="ascending"] button::after { content: " \\2191"; }
#scans th[aria-sort="descending"] button::after { content: " \\2193"; }
#scans tbody tr { scroll-margin: 5rem 0 1rem; }
#scans tbody tr[aria-current] { background: #f0f5ff; box-shadow: inset 4px 0 0 #0b57d0; }
#scans tbody tr:focus-visible { outline: 3px solid #0b57d0; outline-offset: -3px; }
.of-place { width: 3.2rem; } .of-path { width: 19rem; } .of-status { width: 9.5rem; } .of-decision { width: 11.5rem; }
#scans td:is(.of-place, .of-checks, .of-figure, .of-warnings) { font-variant-numeric: tabular-nums; }
.path { font-weight: 600; }
.thumbs { display: flex; gap: 3px; margin-top: 0.3rem; }
.thumbs img { width: 88px; height: 88px; object-fit: contain; background: #000; }
.large { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.4rem; }
.large img { width: 256px; max-width: 100%; height: auto; min-height: 88px; background: #000; }
.toggle { margin-top: 0.3rem; padding: 0.05rem 0.5rem; min-height: 1.7rem; font-size: 0.875rem; }
.status { display: inline-block; font-weight: 600; padding: 0 0.45rem; border-radius: 0.3rem; border: 1px solid; }
.status.done { color: #0a5c2b; } .status.refused { color: #7a4b00; background: #fff3cd; }
.status.failed { color: #fff; background: #b00020; border-color: #b00020; } .status.begun { color: #3d3d3d; background: #ececec; }
.reason { display: block; }
.none { color: #5c5c5c; } .good { color: #0a5c2b; font-weight: 600; } .warned { font-weight: 600; color: #7a4b00; }
.bad { color: #b00020; font-weight: 700; }
.details td { padding: 0.25rem 1rem 0.75rem 4rem; background: #fafafa; }
.details ul { margin: 0.15rem 0; padding-left: 1.2rem; } .checks { columns: 22rem auto; }
.decide { display: grid; grid-template-columns: 1fr 1fr; gap: 0.3rem; }
.decide button { padding: 0.3rem 0.1rem; }
.decide input { grid-column: 1 / -1; width: 100%; min-width: 0; }
.decide button.reject[aria-pressed="true"] { color: #fff; background: #b00020; border-color: #b00020; box-shadow: none; }
.decide button.accept[aria-pressed="true"] { color: #fff; background: #0a5c2b; border-color: #0a5c2b; box-shadow: none; }
#more { margin: 0.75rem 0; }
dialog { max-width: min(34rem, 92vw); border: 2px solid #1a1a1a; border-radius: 0.5rem; color: #1a1a1a; }
#close { float: right; }
dialog h2:first-of-type { margin-top: 0; }
dialog table { margin-bottom: 0.75rem; } dialog td { padding: 0.25rem 0.5rem; }
.reasons :is(th, td:nth-child(2)), dialog td:first-child { white-space: nowrap; }
@media (max-width: 68rem) {
  #sorting { display: flex; gap: 0.4rem; align-items: center; }
  #scans, #scans tbody { display: block; }
  #scans thead { display: none; }
  #scans tbody tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0 0.75rem; padding: 0.5rem; margin-bottom: 0.6rem; border: 1px solid #6b6b6b; border-radius: 0.4rem; scroll-margin: 1rem 0; }
  #scans td { width: auto; border: 0; padding: 0.15rem 0; }
  #scans td[data-label]:not(.of-path, .of-status, .of-decision)::before { content: attr(data-label) ": "; color: #3d3d3d; }
  #scans td:is(.of-path, .of-why, .of-decision) { grid-column: 1 / -1; }
  #scans td.of-path { order: -1; }
  #scans tbody tr.details { display: block; margin-top: -0.6rem; border-top: 0; }
  .reasons, .reasons tbody, .reasons tr, .reasons td, .reasons th { display: block; border: 0; padding: 0.1rem 0; }
  .reasons thead { display: none; } .reasons tr { padding: 0.4rem 0; border-bottom: 1px solid #c9c9c9; }
}
@media (max-width: 30rem) { body { padding: 0 0.5rem 1rem; } #scans td.of-decision button { min-height: 2.75rem; } }
@media (forced-colors: active) { button[aria-pressed="true"] { border-style: double; border-width: 4px; } }
@media print {
  body { font-size: 9pt; padding: 0; }
  #tools, #sorting, .statuses, #more, #status, .toggle, .reasons button, .decide button[aria-pressed="false"], .decide input:placeholder-shown { display: none !important; }
  #scans thead th { position: static; }
  #scans tr { break-inside: avoid; } .thumbs img { width: 48px; height: 48px; }
}
`;
