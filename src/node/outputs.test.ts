import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outputs, wipeWorkFolders } from './outputs.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'outputs-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});
const at = (name: string): string => path.join(dir, name);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tagged = (tag: string): object => expect.objectContaining({ tag });

describe('Outputs', () => {
  it('shows nothing before commit, whole files after, and leaves no work folder', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    await outputs.stage(at('a'), bytes('one'));
    await outputs.stage(at('b'), bytes('two'));
    const [work] = await readdir(dir);
    expect(work).toMatch(/^\.prosopon-[0-9a-f]{24}$/);
    expect((await stat(at(work as string))).mode & 0o777).toBe(0o700);
    await outputs.commit();
    expect((await readdir(dir)).sort()).toEqual(['a', 'b']);
    expect(await readFile(at('b'), 'utf8')).toBe('two');
    expect((await stat(at('a'))).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it('wipes what was staged', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    await outputs.stage(at('a'), bytes('one'));
    outputs.wipe();
    expect(await readdir(dir)).toEqual([]);
  });

  it('wipes at exit', async () => {
    await new Outputs({ force: false, inputs: [] }).stage(at('a'), bytes('one'));
    wipeWorkFolders();
    expect(await readdir(dir)).toEqual([]);
  });

  it('does not replace a file without force, and does with it', async () => {
    await writeFile(at('a'), 'old');
    await expect(new Outputs({ force: false, inputs: [] }).claim(at('a'))).rejects.toEqual(
      tagged('output-exists'),
    );
    const outputs = new Outputs({ force: true, inputs: [] });
    await outputs.stage(at('a'), bytes('new'));
    await outputs.commit();
    expect(await readFile(at('a'), 'utf8')).toBe('new');
  });

  it('keeps a file that appears after the check, and takes back the outputs already named', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    await outputs.stage(at('a'), bytes('one'));
    await outputs.stage(at('b'), bytes('two'));
    await writeFile(at('b'), 'theirs');
    await expect(outputs.commit()).rejects.toEqual(tagged('output-exists'));
    expect(await readdir(dir)).toEqual(['b']);
    expect(await readFile(at('b'), 'utf8')).toBe('theirs');
  });

  it('refuses the input by name, symbolic link and hard link, even with force', async () => {
    await writeFile(at('in'), 'scan');
    await symlink(at('in'), at('soft'));
    await link(at('in'), at('hard'));
    await mkdir(at('sub'));
    await symlink(dir, at('sub/up'));
    for (const name of ['in', 'soft', 'hard', 'sub/up/in', 'sub/../in'])
      await expect(new Outputs({ force: true, inputs: [at('in')] }).claim(at(name))).rejects.toEqual(
        tagged('output-is-input'),
      );
    expect(await readFile(at('in'), 'utf8')).toBe('scan');
  });

  it('refuses a dangling link, a folder, a missing folder and the same target twice', async () => {
    await symlink(at('nowhere'), at('dangling'));
    await mkdir(at('folder'));
    const outputs = new Outputs({ force: false, inputs: [] });
    await expect(outputs.claim(at('dangling'))).rejects.toEqual(tagged('output-exists'));
    await expect(outputs.claim(at('folder'))).rejects.toEqual(tagged('output-exists'));
    await expect(outputs.claim(at('none/a'))).rejects.toEqual(tagged('output-unwritable'));
    await outputs.claim(at('a'));
    await expect(outputs.claim(at('./folder/../a'))).rejects.toEqual(tagged('option-invalid'));
  });
});
