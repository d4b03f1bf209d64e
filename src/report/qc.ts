/**
 * The quality page: one HTML file without links, scripts or anything from outside, for a person to look at a result.
 * It never holds the seed or a file name, and the original only when that is asked for, under a red banner.
 *
 * @example
 * const html = qcPage({ result, altered, pose, checks, provenance }, nodeDeflate);
 */
import type { Check, Checks } from '../deidentify/checks.js';
import { isRefusal } from '../errors/errors.js';
import { requireGiven } from '../errors/require-given.js';
import { prepareSurface } from '../render/field.js';
import { montage, type PixelImage } from '../render/image.js';
import { html, type Markup, renderPage } from '../render/markup.js';
import { type Deflate, encodePng } from '../render/png.js';
import { portrait } from '../render/portrait.js';
import { PLANES, renderSlices } from '../render/slices.js';
import { VIEWS } from '../render/views.js';
import type { Affine, Vec3 } from '../volume/affine.js';
import { base64 } from '../volume/bytes.js';
import type { Mask, Volume } from '../volume/volume.js';

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
img { max-width: 100%; height: auto; margin: 0 0.5rem 0.5rem 0; background: #000; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
.good { color: #0a5c2b; font-weight: bold; }
.danger { color: #fff; background: #b00020; padding: 0.75rem 1rem; font-weight: bold; }`;

export interface Provenance {
  readonly version: string;
  readonly method: string;
  readonly reference: string;
  readonly models: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
  /** Options as the user chose them; by allow-list of the caller: no paths, no seed. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly stages: Readonly<Record<string, number>>;
}

export interface QcContent {
  readonly result: Volume;
  readonly altered: Mask;
  /** Brain frame to world. */
  readonly pose: Affine;
  readonly checks: Checks;
  readonly provenance: Provenance;
  /** Only when the user asked for it by name. */
  readonly original?: Volume;
}

/** Through the brain's centre, and through the face (mm of the brain frame). */
const CUTS: readonly (readonly [string, Vec3])[] = [
  ['through the brain', [0, 0, 0]],
  ['through the face', [20, 70, -45]],
];
const OUTLINE = [255, 70, 70] as const;

/** @param deflate The platform's zlib; without it pictures are stored uncompressed. */
export function qcPage(content: QcContent, deflate?: Deflate): string {
  requireGiven(content, 'what the page shows', ['result', 'altered', 'pose', 'checks', 'provenance']);
  const { checks, provenance, original } = content;
  const failed = Object.values(checks).filter(({ passed }) => !passed).length;
  const body = html`
    ${original !== undefined && html`<p class="danger" role="alert">This page shows the ORIGINAL face. It identifies the person: treat it as you treat the scan, and do not pass it on.</p>`}
    <h1>Prosopon: result of one scan</h1>
    <p class=${failed === 0 ? 'good' : 'danger'}>${failed === 0 ? 'All checks passed.' : `${failed} checks failed.`}</p>
    ${section('The new head', views(content.result, content.pose, deflate))}
    ${section(
      'Slices of the result; the altered region is outlined in red',
      CUTS.map(([name, at]) => slices(content, content.result, at, `result, ${name}`, deflate)),
    )}
    ${
      original !== undefined &&
      section('The original', [
        views(original, content.pose, deflate),
        CUTS.map(([name, at]) => slices(content, original, at, `original, ${name}`, deflate)),
      ])
    }
    ${section('Checks', checkTable(checks))}
    ${section('How it was made', provenanceTable(provenance))}
  `;
  return renderPage('Prosopon: result of one scan', STYLE, body);
}

function section(title: string, content: unknown): Markup {
  return html`<section><h2>${title}</h2>${content}</section>`;
}

function views(volume: Volume, pose: Affine, deflate: Deflate | undefined): Markup | Markup[] {
  try {
    const field = prepareSurface(volume);
    return (['front', 'oblique', 'left'] as const).map((name) =>
      picture(portrait(field, { frame: pose, view: VIEWS[name] }).image, `${name} view`, deflate),
    );
  } catch (error) {
    // A scan of a slab may have no surface to draw; its slices are still worth the page.
    if (isRefusal(error, 'no-signal')) return html`<p>No surface could be drawn.</p>`;
    throw error;
  }
}

function slices(
  { altered, pose }: QcContent,
  volume: Volume,
  at: Vec3,
  name: string,
  deflate: Deflate | undefined,
): Markup {
  const images = renderSlices(volume, {
    at,
    frame: pose,
    planes: PLANES,
    outlines: [{ mask: altered, colour: OUTLINE }],
  });
  return picture(montage(images), `${PLANES.join(', ')} slice: ${name}`, deflate);
}

function picture(image: PixelImage, alt: string, deflate: Deflate | undefined): Markup {
  const png = deflate === undefined ? encodePng(image) : encodePng(image, deflate);
  return html`<img alt=${alt} src=${`data:image/png;base64,${base64(png)}`}/>`;
}

function checkTable(checks: Checks): Markup {
  const row = ([name, { passed, value }]: [string, Check]): Markup =>
    html`<tr><th scope="row">${name}</th><td class=${passed ? 'good' : 'danger'}>${passed ? 'passed' : 'FAILED'}</td><td>${String(value)}</td></tr>`;
  return html`<table>${Object.entries(checks).map(row)}</table>`;
}

function provenanceTable(made: Provenance): Markup {
  const rows: [string, string][] = [
    ['Prosopon', made.version],
    ['method', `${made.method} (${made.reference})`],
    ...made.models.map(({ name, version, sha256 }): [string, string] => [
      `model ${name} ${version}`,
      `SHA-256 ${sha256}`,
    ]),
    ...Object.entries(made.options).map(([name, value]): [string, string] => [
      `option ${name}`,
      String(value),
    ]),
    ...Object.entries(made.stages).map(([name, s]): [string, string] => [`stage ${name}`, `${s} s`]),
  ];
  return html`<table>${rows.map(([k, v]) => html`<tr><th scope="row">${k}</th><td>${v}</td></tr>`)}</table>`;
}
