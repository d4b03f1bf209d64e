/**
 * What came of an input: series that were treated, series that were refused, what was left out. No name, no value and no path of the
 * input is in it, so that it can go along with the results.
 *
 * @example
 * const html = dicomPage(report);
 */
import type { Checks } from '../deidentify/checks.js';
import { html, renderPage } from '../render/markup.js';
import type { Dates } from './retain.js';

export interface TreatedEntry {
  /** Under the output. */
  readonly folder: string;
  readonly files: number;
  readonly stacks: readonly { readonly shape: readonly number[]; readonly checks: Checks }[];
  /** Whether the head was drawn for it, or is that of another series of the person. */
  readonly role: 'anchor' | 'same head' | 'alone';
  readonly warnings: readonly string[];
  readonly seconds: number;
  /** Seconds of each stage. */
  readonly stages: Readonly<Record<string, number>>;
}

export interface RefusedEntry {
  /** As the patient's folder is or would be called. */
  readonly patient: string;
  /** As it would be in the output: the site's key leads back to it. */
  readonly seriesUid: string;
  readonly files: number;
  readonly status: 'refused' | 'failed';
  readonly reason: string;
  readonly message: string;
}

export interface DicomReport {
  readonly version: string;
  readonly method: string;
  readonly dates: Dates;
  /** What of PS3.15's options the site asked for. */
  readonly retained: readonly string[];
  readonly key: 'given' | 'random';
  readonly treated: readonly TreatedEntry[];
  readonly refused: readonly RefusedEntry[];
  readonly leftOut: readonly { readonly what: string; readonly files: number }[];
  /** Second copies of a file, byte for byte. */
  readonly copies: number;
}

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }`;

export function dicomPage(report: DicomReport): string {
  const { treated, refused, leftOut, copies } = report;
  const body = html`<main>
    <h1>Prosopon: DICOM</h1>
    <p>A file is in the output only when its face is gone and its header is clean. ${treated.length} series treated, ${refused.length} not, ${leftOut.reduce((sum, { files }) => sum + files, 0)} other files left out, ${copies} second copies.</p>
    <p>prosopon ${report.version}, ${report.method}; PS3.15 Basic Profile, 2026c, by allow-list; dates: ${report.dates}; retained: ${report.retained.join(', ') || 'nothing'}; key: ${report.key}.</p>
    <h2>Treated</h2>
    <table><thead><tr><th>Folder</th><th>Files</th><th>Voxels</th><th>Head</th><th>Checks</th><th>To look at</th></tr></thead><tbody>
      ${treated.map(
        ({
          folder,
          files,
          stacks,
          role,
          warnings,
        }) => html`<tr><th scope="row">${folder}</th><td>${files}</td>
        <td>${stacks.map(({ shape }) => shape.join(' x ')).join(', ')}</td><td>${role}</td>
        <td>${checksSaid(stacks)}</td><td>${warnings.join('; ')}</td></tr>`,
      )}
    </tbody></table>
    <h2>Not treated, nothing written</h2>
    <table><thead><tr><th>Patient</th><th>Series UID (new)</th><th>Files</th><th>Why</th></tr></thead><tbody>
      ${refused.map(({ patient, seriesUid, files, message }) => html`<tr><td>${patient}</td><td>${seriesUid}</td><td>${files}</td><td>${message}</td></tr>`)}
    </tbody></table>
    <h2>Left out</h2>
    <table><thead><tr><th>What</th><th>Files</th></tr></thead><tbody>
      ${leftOut.map(({ what, files }) => html`<tr><td>${what}</td><td>${files}</td></tr>`)}
    </tbody></table>
  </main>`;
  return renderPage('Prosopon: DICOM', STYLE, body);
}

function checksSaid(stacks: TreatedEntry['stacks']): string {
  const all = stacks.flatMap(({ checks }) => Object.values(checks));
  return `${all.filter(({ passed }) => passed).length} of ${all.length} passed`;
}
