/** Images found on disk by what is in them; everything else refused without a word about names. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Refusal } from '../errors/errors.js';
import { imageFileNames } from '../formats/codecs.js';
import { rawMgh, rawNifti, rawNiftiParts } from '../formats/testing/raw-images.js';
import { inputFiles, loadImage } from './image-files.js';

const folder = mkdtempSync(join(tmpdir(), 'image-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function tagOf(path: string): Promise<[string, string]> {
  const error: unknown = await loadImage(path).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof Refusal)) throw error;
  expect(error.message).not.toContain('secret');
  return [error.tag, error.message];
}

describe('loadImage', () => {
  it('goes by content, whatever the name', async () => {
    for (const [name, bytes, format] of [
      ['a.nii', rawNifti(), 'nifti1'],
      ['b.nii', gzipSync(rawNifti({ version: 2 })), 'nifti2'],
      ['c.nii.gz', rawNifti(), 'nifti1'],
      ['d.mgz', gzipSync(rawMgh()), 'mgh'],
      ['e.mgz', rawMgh(), 'mgh'],
      ['f', gzipSync(rawMgh()), 'mgh'],
      ['g.img', rawNifti(), 'nifti1'],
    ] as const)
      expect((await loadImage(file(name, bytes))).format).toBe(format);
  });

  it('finds the other half of a pair from either half, compressed or not', async () => {
    const { header, voxels } = rawNiftiParts({ pair: true, littleEndian: false });
    const single = await loadImage(file('single.nii', rawNifti({ littleEndian: false })));
    for (const [h, v] of [
      ['p.hdr', 'p.img'],
      ['q.hdr', 'q.img.gz'],
      ['r.hdr.gz', 'r.img.gz'],
      ['s.hdr.gz', 's.img'],
    ] as const) {
      const paths = [
        file(h, h.endsWith('gz') ? gzipSync(header) : header),
        file(v, v.endsWith('gz') ? gzipSync(voxels) : voxels),
      ];
      for (const path of paths) {
        const image = await loadImage(path);
        // What was read is known as such from either name: an output may be none of it.
        expect(inputFiles(path)).toEqual(expect.arrayContaining(paths));
        expect(image.stored).toEqual(single.stored);
      }
    }
  });

  it('refuses what is not there or cannot be read', async () => {
    const { header, voxels } = rawNiftiParts({ pair: true });
    mkdirSync(join(folder, 'secret.nii'));
    symlinkSync(join(folder, 'secret-loop'), join(folder, 'secret-loop'));
    expect(await tagOf(join(folder, 'secret-missing.nii'))).toEqual([
      'not-readable',
      'expected a file that can be read, found no such file',
    ]);
    expect(await tagOf(join(folder, 'secret.nii'))).toEqual([
      'not-readable',
      'expected a file, found a directory',
    ]);
    expect((await tagOf('/dev/null'))[1]).toMatch(/found a device/);
    expect((await tagOf(join(folder, 'secret-loop')))[0]).toBe('not-readable');
    expect((await tagOf(join(folder, 'single.nii', 'secret')))[0]).toBe('not-readable');
    expect((await tagOf(file('secret-header.hdr', header)))[0]).toBe('not-readable');
    expect((await tagOf(file('secret-voxels.img', voxels)))[0]).toBe('not-readable');
    expect((await tagOf(file('secret-empty.nii.gz', new Uint8Array(0))))[0]).toBe('not-an-image');
  });

  it('refuses names that are not UTF-8 or too long, and says so', async () => {
    for (const name of ['secret\ufffd.nii', 'secret\ud800.nii', 'secret\ufffd/a.nii'])
      expect(await tagOf(join(folder, name))).toEqual([
        'not-readable',
        expect.stringMatching(/^expected file and folder names in UTF-8, found one that is not/),
      ]);
    // Another file, of which Node makes the same name.
    file('twin\ufffd.nii', rawNifti());
    expect((await tagOf(join(folder, 'twin\ufffd.nii')))[1]).toMatch(/UTF-8/);
    expect(await tagOf(join(folder, `${'ä'.repeat(126)}.nii`))).toEqual([
      'not-readable',
      'expected file and folder names of at most 255 bytes, found one of 256',
    ]);
    // The voxels' name would be too long only with another .gz.
    const { header } = rawNiftiParts({ pair: true });
    expect((await tagOf(file(`${'x'.repeat(251)}.hdr`, header)))[1]).toMatch(
      /pair beside the header, found none/,
    );
  });

  it('names what a packed file is, and how to unpack it', async () => {
    const xz = Buffer.from('fd377a585a000004e6d6b44602002101', 'hex');
    expect(await tagOf(file('secret.nii.xz', xz))).toEqual([
      'not-an-image',
      'expected a NIfTI or MGH image, found a file compressed with xz: unpack it first (unxz)',
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file without permission', async () => {
    const path = file('secret-locked.nii', rawNifti());
    chmodSync(path, 0);
    expect((await tagOf(path))[1]).toMatch(/may not be read/);
  });
});

describe('imageFileNames', () => {
  it('lists one file, or both of a pair', () => {
    expect(imageFileNames('/a.b/x.nii.gz')).toEqual(['/a.b/x.nii.gz']);
    expect(imageFileNames('x.MGZ')).toEqual(['x.MGZ']);
    expect(imageFileNames('/a/x.img.gz')).toEqual(['/a/x.hdr.gz', '/a/x.img.gz']);
    expect(imageFileNames('x.y.HDR')).toEqual(['x.y.HDR', 'x.y.IMG']);
    for (const name of ['x', 'x.gz', 'x.mgz.gz', 'x.nii.png'])
      expect(() => imageFileNames(name)).toThrow(Refusal);
  });
});
