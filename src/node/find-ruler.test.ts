/** The ruler as a package that may lie beside the product, where the user works, or nowhere. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../deidentify/version.js';
import { findRuler, loadRuler } from './find-ruler.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ruler-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A place from which nothing is found, unless `install` put it there. */
const place = (name: string): string => path.join(folder, name, 'package.json');

async function install(where: string, code: string): Promise<string> {
  const home = path.join(folder, where, 'node_modules', 'prosopon-ruler');
  await mkdir(home, { recursive: true });
  await writeFile(
    path.join(home, 'package.json'),
    JSON.stringify({
      name: 'prosopon-ruler',
      type: 'module',
      exports: { '.': './index.js', './package.json': './package.json' },
    }),
  );
  await writeFile(path.join(home, 'index.js'), code);
  return home;
}

describe('the ruler', () => {
  it('is refused with what to install where it is not', async () => {
    await expect(loadRuler([place('work')])).rejects.toMatchObject({
      tag: 'package-missing',
      message: expect.stringContaining(`npm install prosopon-ruler@${VERSION}`),
    });
  });

  it('is found in the first of the places that has it, with its networks', async () => {
    const home = await install('work', `export const ruler = { version: '${VERSION}' };`);
    const places = [place('product'), place('work')];
    expect(findRuler(places)).toEqual({
      entry: path.join(home, 'index.js'),
      models: path.join(home, 'models'),
    });
    expect(await loadRuler(places)).toMatchObject({ version: VERSION });
    const beside = await install('product', '');
    expect(findRuler(places)?.entry).toBe(path.join(beside, 'index.js'));
  });

  it.each([
    ['of another version', "export const ruler = { version: '0.0.1' };", 'found 0.0.1'],
    ['that is something else', 'export const a = 1;', 'found another package'],
    ['that lacks what it imports', "import 'there-is-no-such-package';", 'found it incomplete'],
  ])('%s is refused', async (_, code, words) => {
    await install('work', code);
    await expect(loadRuler([place('work')])).rejects.toMatchObject({
      tag: 'package-missing',
      message: expect.stringContaining(words),
    });
  });

  it('with a mistake of its own is no refusal', async () => {
    await install('work', "throw new TypeError('ours');");
    await expect(loadRuler([place('work')])).rejects.toThrow(TypeError);
  });
});
