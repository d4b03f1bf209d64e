/** ZIP archives as input: read to the byte, and bombs of every build refused before they are unpacked. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openArchive } from './archive.js';
import { makeZip, type ZippedFile } from './testing/make-zip.js';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'archive-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function zipped(
  files: readonly ZippedFile[],
  change = (bytes: Uint8Array): Uint8Array => bytes,
): Promise<string> {
  const name = path.join(dir, `${Math.random()}`);
  await writeFile(name, change(makeZip(files)));
  return name;
}
const text = (said: string): Uint8Array => new TextEncoder().encode(said);

describe('openArchive', () => {
  it('gives the files in folders, to the byte, as often as they are asked for', async () => {
    const files = [
      { name: 'a/', bytes: text('') },
      { name: 'a/one', bytes: text('one') },
      { name: '../two', bytes: text('two') },
    ];
    const archive = await openArchive(await zipped(files));
    for (let n = 0; n < 2; n++) {
      const read = await Promise.all(
        archive.files.map(async (file) => Buffer.from(await file.read()).toString()),
      );
      expect(read).toEqual(['one', 'two']);
    }
    archive.close();
  });

  it('refuses a bomb: one file of zeros, files over one another, a size that is not true', async () => {
    const zeros = new Uint8Array(2 ** 25);
    const one = await openArchive(
      await zipped(
        [
          { name: 'a', bytes: zeros },
          { name: 'b', bytes: crypto.getRandomValues(new Uint8Array(2 ** 16)) },
        ].concat(
          Array.from({ length: 4 }, (_, i) => ({
            name: `c${i}`,
            bytes: crypto.getRandomValues(new Uint8Array(2 ** 16)),
          })),
        ),
      ),
    );
    const started = process.memoryUsage().arrayBuffers;
    await expect(one.files[0]?.read()).rejects.toMatchObject({ tag: 'too-large' });
    expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(2 ** 20);
    one.close();
    const kernel = crypto.getRandomValues(new Uint8Array(2 ** 16));
    const many = Array.from({ length: 1000 }, (_, i) => ({ name: `${i}`, bytes: kernel, overlaps: i > 0 }));
    await expect(openArchive(await zipped(many))).rejects.toMatchObject({ tag: 'too-large' });
    for (const claims of [10, 70_000]) {
      const lying = await openArchive(await zipped([{ name: 'a', bytes: kernel, claims }]));
      await expect(lying.files[0]?.read()).rejects.toMatchObject({ tag: 'corrupt' });
      lying.close();
    }
  });

  it('refuses what is damaged: a checksum, a directory that is cut off', async () => {
    const wrong = await openArchive(await zipped([{ name: 'a', bytes: text('abc'), crc: 7 }]));
    await expect(wrong.files[0]?.read()).rejects.toMatchObject({ tag: 'corrupt' });
    wrong.close();
    const cut = await zipped([{ name: 'a', bytes: text('abc') }], (bytes) =>
      bytes.slice(0, bytes.length - 30),
    );
    await expect(openArchive(cut)).rejects.toMatchObject({ tag: 'corrupt' });
  });
});
