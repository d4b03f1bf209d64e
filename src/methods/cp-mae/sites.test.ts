/**
 * A retrained network can be dropped in: cp-mae with networks of another lattice, another codebook, other brain codes and
 * fewer components, through the whole product; and networks that do not fit each other are told apart.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaledData } from '../../formats/stored-image.js';
import { loadImage } from '../../node/image-files.js';
import { deidentify } from '../../node/library.js';
import { listModels, packagedModels } from '../../node/networks/node-models.js';
import { NodeNetworkRunner } from '../../node/networks/node-runner.js';
import { installedCodes, siteMeans } from './sites.js';

const OTHERS = fileURLToPath(new URL('../testing/models', import.meta.url));
const REPLACED = [
  'brain-encoder',
  'masked-autoencoder',
  'masked-autoencoder-codes',
  'complement-decoder',
  'shape-residual',
];

let models = '';
let networks: NodeNetworkRunner;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'other-networks-'));
  for (const name of await listModels())
    if (!REPLACED.includes(name)) await symlink(path.join(packagedModels(), name), path.join(models, name));
  for (const name of REPLACED)
    await cp(path.join(OTHERS, name), path.join(models, name), { recursive: true });
  networks = new NodeNetworkRunner({ models });
});
afterAll(async () => {
  await networks.close();
  await rm(models, { recursive: true, force: true });
});

/** What is said when model.json of one network is changed so. */
async function afterChange(name: string, change: (text: string) => string): Promise<unknown> {
  const file = path.join(models, name, 'model.json');
  const before = await readFile(file, 'utf8');
  await writeFile(file, change(before));
  try {
    return await installedCodes(networks).catch((error: unknown) => error);
  } finally {
    await writeFile(file, before);
  }
}

describe('networks of another lattice, codebook and number of components', () => {
  it('are what model.json says', async () => {
    const found = await installedCodes(networks);
    expect(found.sites).toEqual({ x: 3, y: 4, z: 4, count: 48 });
    expect(found.fineSites).toEqual({ x: 6, y: 8, z: 8, count: 384 });
    expect(found.book.levels).toEqual([4, 3]);
    expect([found.latent, found.components]).toEqual([4, 5]);
    const shipped = new NodeNetworkRunner();
    const own = await installedCodes(shipped);
    expect([own.sites.count, own.fineSites.count, own.latent, own.book.levels]).toEqual([
      384,
      3072,
      200,
      [8, 6, 5],
    ]);
    await shipped.close();
  });

  it('make a head through the whole product: checks passed, brain exact', async () => {
    const image = await loadImage(path.join(packagedModels(), '../demo/head.nii.gz'));
    const before = scaledData(image, 0);
    const done = await deidentify(image, { method: 'cp-mae', seed: 1, resolution: 128 }, { networks });
    expect(Object.values(done.checks).filter(({ passed }) => !passed)).toEqual([]);
    const after = scaledData(done.images[0].result, 0);
    let [inBrain, kept, changed] = [0, 0, 0];
    for (let v = 0; v < before.length; v++) {
      if (done.brainMask.data[v] === 1) {
        inBrain++;
        if (after[v] === before[v]) kept++;
      } else if (after[v] !== before[v]) changed++;
    }
    expect(inBrain).toBeGreaterThan(100_000);
    expect(kept).toBe(inBrain);
    expect(changed).toBeGreaterThan(100_000);
  });

  it.each([
    [
      'a codebook that the logits do not have',
      'masked-autoencoder',
      (t: string) => t.replace(/4,\s*3\s*\]\s*\}/, '4, 4]}'),
    ],
    [
      'a decoder of another codebook',
      'complement-decoder',
      (t: string) => t.replace(/4,\s*3\s*\]\s*\}/, '3, 4]}'),
    ],
    [
      'levels that are no numbers',
      'masked-autoencoder',
      (t: string) => t.replace(/4,\s*3\s*\]\s*\}/, '"4", 3]}'),
    ],
    [
      'logits of another codebook',
      'masked-autoencoder-codes',
      (t: string) => t.replace(/4,\s*3\s*\]\s*\}/, '3, 4]}'),
    ],
    ['no fine codes', 'complement-decoder', (t: string) => t.replace('"fine"', '"coarse"')],
    ['no codes', 'masked-autoencoder', (t: string) => t.replace('"coarse"', '"corse"')],
    ['sites of no fixed number', 'shape-residual', (t: string) => t.replace(/5\s*\]/, '"n"]')],
  ])('are refused with %s', async (_, name, change) => {
    expect(await afterChange(name, change)).toMatchObject({ tag: 'model-corrupt' });
  });

  it('get the means over their own sites', () => {
    const blocks = new Float32Array(2 * 48 * 64 * 64).fill(0.5, 48 * 64 * 64);
    blocks[15 + 48 * (16 + 64 * 63)] = 1;
    const means = siteMeans(blocks, { x: 3, y: 4, z: 4, count: 48 });
    expect(means).toHaveLength(96);
    expect(means[0 + 3 * (1 + 4 * 3)]).toBeCloseTo(1 / 4096, 8);
    expect(means[95]).toBeCloseTo(0.5, 4);
  });
});
