/**
 * How long it takes to look at a large study and to group it, and how much memory: N files of nobody on the disk, in a process of its own.
 * Usage: node bench/dicom-group.mjs --work FOLDER [--files 10000] [--voxels 128] (needs `npm run build`)
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    files: { type: 'string', default: '10000' },
    voxels: { type: 'string', default: '128' },
    look: { type: 'boolean', default: false },
  },
});
const [count, edge] = [Number(values.files), Number(values.voxels)];
if (values.work === undefined || !(count > 0) || !(edge > 0)) throw new Error('expected --work FOLDER');
const folder = join(values.work, `study-${count}-${edge}`);
const dist = new URL('../dist/', import.meta.url);

if (values.look) {
  const { findDicom } = await import(new URL('node/dicom/find.js', dist).href);
  const { groupSlices } = await import(new URL('dicom/series.js', dist).href);
  const began = performance.now();
  const found = await findDicom(folder, new AbortController().signal);
  const people = groupSlices(found.slices);
  const seconds = (performance.now() - began) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  const series = people.reduce((sum, person) => sum + person.series.length, 0);
  console.log(
    JSON.stringify({
      files: found.slices.length,
      people: people.length,
      series,
      seconds: Number(seconds.toFixed(2)),
      peakMb: Math.round(peak),
    }),
  );
} else {
  if (!existsSync(folder)) await make();
  // Once for the system's cache, then in earnest.
  for (let i = 0; i < 2; i++) {
    const args = [fileURLToPath(import.meta.url), '--look', '--work', values.work];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...args, '--files', `${count}`, '--voxels', `${edge}`],
      {
        encoding: 'utf8',
      },
    );
    process.stdout.write(`${i === 0 ? 'first ' : 'again '}${stdout}${stderr}`);
  }
}

/** Series of 200 slices, five a person. */
async function make() {
  const { encodeElement, text, uidText, words16 } = await import(new URL('dicom/assemble.js', dist).href);
  const little = { uid: '1.2.840.10008.1.2.1', explicit: true, littleEndian: true };
  const start = new Uint8Array(132);
  start.set(text('DICM'), 128);
  const us = (/** @type {number} */ v) => words16([v], little);
  const voxels = new Uint8Array(2 * edge * edge).fill(7);
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n++) {
    const [series, person, k] = [Math.floor(n / 200), Math.floor(n / 1000), n % 200];
    /** @type {[number, string, Uint8Array][]} */
    const elements = [
      [0x00080008, 'CS', text('ORIGINAL\\PRIMARY\\M')],
      [0x00080016, 'UI', uidText('1.2.840.10008.5.1.4.1.1.4')],
      [0x00080018, 'UI', uidText(`1.2.3.${n}`)],
      [0x00100010, 'PN', text(`NOBODY^NUMBER${person}`)],
      [0x00100020, 'LO', text(`NOBODY-${person}`)],
      [0x0020000d, 'UI', uidText(`1.2.3.1.${person}`)],
      [0x0020000e, 'UI', uidText(`1.2.3.2.${series}`)],
      [0x00200032, 'DS', text(`0\\0\\${k}`)],
      [0x00200037, 'DS', text('1\\0\\0\\0\\1\\0')],
      [0x00280002, 'US', us(1)],
      [0x00280004, 'CS', text('MONOCHROME2')],
      [0x00280010, 'US', us(edge)],
      [0x00280011, 'US', us(edge)],
      [0x00280030, 'DS', text('1\\1')],
      [0x00280100, 'US', us(16)],
      [0x00280101, 'US', us(12)],
      [0x00280102, 'US', us(11)],
      [0x00280103, 'US', us(0)],
      // What real headers have of private elements.
      [0x00290010, 'LO', text('NOBODY')],
      [0x00291010, 'OB', new Uint8Array(60_000)],
      [0x7fe00010, 'OW', voxels],
    ];
    const parts = [start, encodeElement(0x00020010, 'UI', uidText(little.uid), little)];
    for (const [tag, vr, value] of elements) parts.push(encodeElement(tag, vr, value, little));
    writeFileSync(join(folder, `f${n}`), Buffer.concat(parts));
  }
  console.log(`${readdirSync(folder).length} files made`);
}
