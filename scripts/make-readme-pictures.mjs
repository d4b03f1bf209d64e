/**
 * Makes docs/images/faces.png for the README: the bundled head that is nobody (first column), and what `deid` makes of it with three
 * seeds; front, left, and a sagittal slice. Synthetic heads only. Needs `npm run build`.
 *
 * Usage: node scripts/make-readme-pictures.mjs
 */
import './lib/help.mjs';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scaledData } from '../dist/formats/stored-image.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { loadImage } from '../dist/node/image-files.js';
import { prepareSurface } from '../dist/render/field.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { portrait } from '../dist/render/portrait.js';
import { renderSlices } from '../dist/render/slices.js';
import { VIEWS } from '../dist/render/views.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
const heads = [path('../demo/head.nii.gz')];
for (const seed of ['1', '2', '3']) {
  const out = join(folder, `${seed}.nii.gz`);
  execFileSync(process.execPath, [
    path('../bin/prosopon.mjs'),
    'deid',
    heads[0],
    out,
    '--seed',
    seed,
    '--quiet',
  ]);
  heads.push(out);
}
const rows = [[], [], []];
for (const head of heads) {
  const image = await loadImage(head);
  const volume = { grid: image.grid, data: scaledData(image, 0) };
  const field = prepareSurface(volume);
  rows[0].push(portrait(field, { view: VIEWS.front, fovMm: 260 }).image);
  rows[1].push(portrait(field, { view: VIEWS.left, fovMm: 260 }).image);
  rows[2].push(renderSlices(volume, { planes: ['sagittal'], pixelMm: 1 })[0]);
}
mkdirSync(path('../docs/images'), { recursive: true });
writeFileSync(
  path('../docs/images/faces.png'),
  encodePng(montage(rows.flat(), { columns: heads.length }), nodeDeflate),
);
rmSync(folder, { recursive: true });
