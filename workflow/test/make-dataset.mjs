#!/usr/bin/env node
/**
 * A small BIDS data set of nobody, for the tests of the workflow: demo/head.nii.gz with noise of its own for each person and more
 * and more air cut off above the head, and one person whose image holds no brain, so that it is refused.
 *
 * @example
 * node workflow/test/make-dataset.mjs DIR [people, 6 when absent]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const [dir, count = '6'] = process.argv.slice(2);
if (dir === undefined) throw new Error('expected a folder');
const people = Number(count);
const head = gunzipSync(readFileSync(fileURLToPath(new URL('../../demo/head.nii.gz', import.meta.url))));
const start = head.readFloatLE(108);
const [nx, ny, nz] = [42, 44, 46].map((at) => head.readInt16LE(at));

/** Numerical Recipes' generator: any machine makes the same data set. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

mkdirSync(dir, { recursive: true });
writeFileSync(join(dir, 'dataset_description.json'), '{"Name": "Nobody", "BIDSVersion": "1.10.0"}\n');
const rows = ['participant_id\tage\tsex'];
for (let person = 1; person <= people; person++) {
  const id = `sub-${String(person).padStart(2, '0')}`;
  const slices = nz - 2 * person;
  const image = Buffer.from(head.subarray(0, start + nx * ny * slices));
  image.writeInt16LE(slices, 46);
  const next = random(person);
  // The one before the last, so that no share ends with it.
  const empty = person === people - 1;
  for (let i = start; i < image.length; i++) {
    const noise = Math.round(3 * (next() + next() - 1));
    image[i] = empty ? Math.round(40 * next()) : Math.max(0, Math.min(255, image[i] + noise));
  }
  const anat = join(dir, id, 'anat');
  mkdirSync(anat, { recursive: true });
  writeFileSync(join(anat, `${id}_T1w.nii.gz`), gzipSync(image, { level: 1 }));
  writeFileSync(join(anat, `${id}_T1w.json`), '{"Modality": "MR", "EchoTime": 0.003}\n');
  rows.push(`${id}\t${20 + person}\tF`);
}
writeFileSync(join(dir, 'participants.tsv'), `${rows.join('\n')}\n`);
