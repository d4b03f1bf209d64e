import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SubjectPlan } from '../../bids/plan.js';
import { thisProcess } from '../process-identity.js';
import { openPlaces, type Places } from './places.js';
import { sweep } from './sweep.js';

let dir = '';
let places: Places;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sweep-'));
  mkdirSync(join(dir, 'in'));
  places = openPlaces(join(dir, 'in'), join(dir, 'out'), undefined);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function plan(subject: string): SubjectPlan {
  const output = `${subject}/anat/${subject}_T1w.nii.gz`;
  // Of an image the sweep reads the path of its result alone.
  const planned = { output } as SubjectPlan['copy'][number];
  return { subject, treat: [[planned]], copy: [], left: [] };
}

function workFolder(subject: string, owner: object): string {
  const folder = join(places.output, subject, 'anat', `.prosopon-${'0'.repeat(24)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'owner'), JSON.stringify(owner));
  writeFileSync(join(folder, '0'.repeat(16)), 'half a result');
  return folder;
}

describe('what killed runs have left', () => {
  it('the work folder of a machine that was lost stayed in the output for ever', () => {
    const mine = workFolder('sub-01', { ...thisProcess(), host: 'lost' });
    const others = workFolder('sub-02', { ...thisProcess(), host: 'lost' });
    sweep(places, [plan('sub-01')]);
    expect(existsSync(mine)).toBe(false);
    expect(existsSync(join(places.output, 'sub-01'))).toBe(false);
    expect(existsSync(others)).toBe(true);
  });

  it('leaves what lives, and results', () => {
    const alive = workFolder('sub-01', thisProcess());
    mkdirSync(join(places.output, 'sub-02', 'anat'), { recursive: true });
    writeFileSync(join(places.output, 'sub-02', 'anat', 'sub-02_T1w.nii.gz'), '');
    sweep(places, [plan('sub-01'), plan('sub-02'), plan('sub-03')]);
    expect(existsSync(alive)).toBe(true);
    expect(readdirSync(join(places.output, 'sub-02', 'anat'))).toEqual(['sub-02_T1w.nii.gz']);
  });

  it('a description that was being written locked all later runs out, and other shares at that moment', () => {
    const part = join(places.output, `dataset_description.json.${'a'.repeat(16)}.part`);
    writeFileSync(part, '{');
    expect(openPlaces(places.input, places.output, undefined)).toEqual(places);
    sweep(places, []);
    expect(existsSync(part)).toBe(true);
    utimesSync(part, 0, 0);
    sweep(places, []);
    expect(existsSync(part)).toBe(false);
    writeFileSync(join(places.output, 'notes.txt'), '');
    expect(() => openPlaces(places.input, places.output, undefined)).toThrow(
      expect.objectContaining({ tag: 'output-exists' }),
    );
  });
});
