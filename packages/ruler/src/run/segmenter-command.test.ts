import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headGrid, syntheticHead } from '../../../../src/volume/testing/synthetic-head.js';
import { parseCommand, runSegmenter } from './segmenter-command.js';

const head = syntheticHead({ grid: headGrid({ spacing: [8, 8, 8] }) });
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'segmenter test '));
  // A segmenter that calls every voxel by its value in hundreds: reads and writes the file as bytes of NIfTI.
  writeFileSync(
    join(dir, 'seg.mjs'),
    `import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
const [, , mode, from, to] = process.argv;
if (mode === 'fail') process.exit(4);
if (mode === 'nothing') process.exit(0);
const bytes = gunzipSync(readFileSync(from));
const at = bytes.readFloatLE(108);
if (mode === 'moved') bytes.writeFloatLE(bytes.readFloatLE(292) + 50, 292);
for (let o = at; o < bytes.length; o += 4) bytes.writeFloatLE(mode === 'negative' ? -1 - (o % 3) : Math.max(0, Math.floor(bytes.readFloatLE(o) / 100)), o);
writeFileSync(to, gzipSync(bytes));
`,
  );
  chmodSync(join(dir, 'seg.mjs'), 0o755);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const command = (mode: string): string[] =>
  parseCommand(`"${process.execPath}" '${join(dir, 'seg.mjs')}' ${mode} {in} {out}`);

describe('a segmenter of the user', () => {
  it('is a program and arguments: quotes hold words together, nothing is a shell', () => {
    expect(parseCommand(`tool --x "a b" 'c d' {in} -o{out} ; rm $HOME`)).toEqual([
      'tool',
      '--x',
      'a b',
      'c d',
      '{in}',
      '-o{out}',
      ';',
      'rm',
      '$HOME',
    ]);
    expect(() => parseCommand('tool {in}')).toThrow('{out}');
    expect(() => parseCommand('tool "{in} {out}')).toThrow('quote');
  });

  it('gets the head and gives labels on its grid', async () => {
    const found = await runSegmenter(command('label'), head.volume);
    if ('failed' in found) throw new Error(found.failed);
    const expected = Uint16Array.from(head.volume.data, (v) => Math.max(0, Math.floor(v / 100)));
    expect(found.labels).toEqual(expected);
  });

  it('fails on a head by name, and is refused when there is no such program', async () => {
    expect(await runSegmenter(command('fail'), head.volume)).toEqual({
      failed: 'the segmenter ended with exit code 4',
    });
    expect(await runSegmenter(command('nothing'), head.volume)).toEqual({
      failed: 'the segmenter left no label map (not-readable)',
    });
    expect(await runSegmenter(command('moved'), head.volume)).toEqual({
      failed: 'the label map is on another grid',
    });
    expect(await runSegmenter(command('negative'), head.volume)).toEqual({
      failed: 'the label map has values that are no labels',
    });
    await expect(runSegmenter([join(dir, 'none'), '{in}', '{out}'], head.volume)).rejects.toThrow(
      'can be started',
    );
    const stopped = runSegmenter(command('label'), head.volume, AbortSignal.abort(new Error('stop')));
    await expect(stopped).rejects.toThrow('stop');
  });
});
