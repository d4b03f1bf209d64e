import { execFileSync, spawnSync } from 'node:child_process';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outputs } from './outputs.js';
import { thisProcess } from './process-identity.js';
import { wipeWorkFolders } from './work-folder.js';

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
    // What still computes behind an interruption comes too late.
    await expect(outputs.stage(at('a'), bytes('one'))).rejects.toEqual(tagged('internal'));
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

  it('refuses what is no file, itself or behind a link, even with force, and replaces a link to a file', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    await symlink(at('fifo'), at('to-fifo'));
    await symlink('/dev/null', at('to-device'));
    for (const name of ['fifo', 'to-fifo', 'to-device'])
      await expect(new Outputs({ force: true, inputs: [] }).claim(at(name))).rejects.toMatchObject({
        tag: 'output-exists',
        message: expect.stringContaining('no file'),
      });
    await expect(new Outputs({ force: true, inputs: [] }).claim('/dev/null')).rejects.toEqual(
      tagged('output-exists'),
    );
    await writeFile(at('precious'), 'precious');
    await symlink(at('precious'), at('soft'));
    const outputs = new Outputs({ force: true, inputs: [] });
    await outputs.stage(at('soft'), bytes('new'));
    await outputs.commit();
    expect(outputs.committed).toEqual([at('soft')]);
    expect(await readFile(at('precious'), 'utf8')).toBe('precious');
    expect(await readFile(at('soft'), 'utf8')).toBe('new');
  });

  it('gives no chance to a signal while results get their names', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    for (const name of ['a', 'b']) await outputs.stage(at(name), bytes(name));
    const pending = outputs.commit();
    // Nothing was awaited yet.
    expect(outputs.committed).toEqual([at('a'), at('b')]);
    await pending;
  });

  it('keeps what identifies for its owner alone', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    await outputs.stage(at('face.png'), bytes('x'), { identifies: true });
    await outputs.commit();
    expect((await stat(at('face.png'))).mode & 0o777).toBe(0o600);
  });

  it('removes what killed runs left, and nothing else', async () => {
    const leftover = async (name: string, owner: object | undefined, mode = 0o700): Promise<void> => {
      await mkdir(at(name), { mode });
      await writeFile(at(`${name}/0123456789abcdef`), 'half');
      if (owner !== undefined) await writeFile(at(`${name}/owner`), JSON.stringify(owner));
    };
    const name = (digit: string): string => `.prosopon-${digit.repeat(24)}`;
    const me = thisProcess();
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    await leftover(name('a'), { ...me, pid: ended });
    await leftover(name('b'), { ...me, started: '1' });
    await leftover(name('1'), me);
    await leftover(name('2'), { ...me, host: 'another machine', pid: ended });
    await leftover(name('3'), undefined);
    await leftover(name('c'), undefined);
    await utimes(at(name('c')), 1, 1);
    await leftover(name('4'), { ...me, pid: ended }, 0o755);
    await leftover('.prosopon-notes', { ...me, pid: ended });
    const outputs = new Outputs({ force: false, inputs: [] });
    await outputs.stage(at('out'), bytes('x'));
    await outputs.commit();
    expect((await readdir(dir)).sort()).toEqual(
      [name('1'), name('2'), name('3'), name('4'), '.prosopon-notes', 'out'].sort(),
    );
  });

  it('refuses two outputs that some file systems take for one', async () => {
    const outputs = new Outputs({ force: true, inputs: [] });
    await outputs.claim(at('mask.nii'));
    await expect(outputs.claim(at('Mask.nii'))).rejects.toEqual(tagged('option-invalid'));
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

  it('takes names of 255 bytes and refuses longer ones before any work, of the file and of its folders', async () => {
    const outputs = new Outputs({ force: false, inputs: [] });
    for (const name of ['x'.repeat(255), `${'ä'.repeat(127)}x`]) await outputs.stage(at(name), bytes('one'));
    await outputs.commit();
    expect((await readdir(dir)).length).toBe(2);
    for (const name of ['x'.repeat(256), 'ä'.repeat(128), path.join('y'.repeat(256), 'a')])
      await expect(new Outputs({ force: true, inputs: [] }).claim(at(name))).rejects.toMatchObject({
        tag: 'output-unwritable',
        message: 'expected file and folder names of at most 255 bytes, found one of 256',
      });
  });

  it.runIf(process.platform === 'linux')('refuses a path whose work folder would be too long', async () => {
    // 4096 bytes with the final zero are the most; the work folder and a file in it take 52.
    const deep = (length: number): string => {
      let folder = dir;
      while (length - folder.length > 202) folder = path.join(folder, 'd'.repeat(200));
      return path.join(folder, 'd'.repeat(length - folder.length - 1));
    };
    for (const [length, fits] of [
      [4043, true],
      [4044, false],
    ] as const) {
      await mkdir(deep(length), { recursive: true });
      const outputs = new Outputs({ force: false, inputs: [] });
      const done = outputs.stage(path.join(deep(length), 'a'), bytes('one')).then(() => outputs.commit());
      if (fits) await done;
      else await expect(done).rejects.toEqual(tagged('output-unwritable'));
    }
  });

  it('refuses names that are not UTF-8, which Node reads as others', async () => {
    for (const name of ['a\ufffd.nii', 'folder\ufffd/a.nii', 'a\ud800.nii']) {
      const claim = new Outputs({ force: false, inputs: [] }).claim(at(name));
      await expect(claim).rejects.toMatchObject({
        tag: 'output-unwritable',
        message: expect.stringMatching(/^expected file and folder names in UTF-8, found one that is not/),
      });
    }
    await new Outputs({ force: false, inputs: [] }).claim(at('Kopf \u{1f9e0} 頭.nii'));
  });

  it.runIf(process.platform === 'linux')(
    'refuses a link that leads to a folder whose name is not UTF-8',
    async () => {
      const folder = Buffer.concat([Buffer.from(at('f')), Buffer.from([0xff])]);
      await mkdir(folder);
      await symlink(folder, at('soft'));
      await expect(new Outputs({ force: false, inputs: [] }).claim(at('soft/a'))).rejects.toEqual(
        tagged('output-unwritable'),
      );
    },
  );
});
