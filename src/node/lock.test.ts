import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCK_NAME, lockFolder, lockWhenLost } from './lock.js';
import { parseIdentity, stateOf, thisProcess } from './process-identity.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a lock', () => {
  it('is one run at a time, and leaves nothing', () => {
    const lock = lockFolder(dir);
    expect(() => lockFolder(dir)).toThrow(expect.objectContaining({ tag: 'output-in-use' }));
    expect(readdirSync(dir)).toEqual([LOCK_NAME]);
    lock.release();
    lock.release();
    lockFolder(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('of a process that is gone is taken over; of another machine, or unreadable, it is not', () => {
    const gone = { ...thisProcess(), pid: spawnSync(process.execPath, ['-e', '0']).pid };
    writeFileSync(join(dir, LOCK_NAME), JSON.stringify(gone));
    lockFolder(dir).release();
    for (const other of [
      JSON.stringify({ ...gone, host: 'elsewhere' }),
      'half',
      JSON.stringify(thisProcess()),
    ]) {
      writeFileSync(join(dir, LOCK_NAME), other);
      expect(() => lockFolder(dir)).toThrow(expect.objectContaining({ tag: 'output-in-use' }));
      expect(readdirSync(dir)).toEqual([LOCK_NAME]);
    }
  });
});

describe('a process that has ended and whose end nobody has asked for', () => {
  it('held its lock for ever, as it can still be sent signals', async () => {
    // A child of a process that never collects it: as in a container whose first process is no init.
    const keeper = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) =>
      keeper.stdout.once('data', (text) => resolve(Number(text))),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    try {
      expect(() => process.kill(pid, 0)).not.toThrow();
      expect(stateOf({ ...thisProcess(), pid, started: '' })).toBe('gone');
    } finally {
      keeper.kill();
    }
  });
});

describe('a lock of another machine', () => {
  const share = { index: 2, count: 3 };
  const never = new AbortController().signal;
  const left = (agoMs: number): string => {
    const file = join(dir, `${LOCK_NAME}-2-of-3`);
    writeFileSync(file, JSON.stringify({ ...thisProcess(), host: 'elsewhere' }));
    const then = (Date.now() - agoMs) / 1000;
    utimesSync(file, then, then);
    return file;
  };

  it('a job that is begun again after its node was lost was refused for three minutes', async () => {
    left(3 * 60_000 - 400);
    expect(() => lockFolder(dir, share)).toThrow(expect.objectContaining({ tag: 'output-in-use' }));
    let waited = 0;
    const lock = await lockWhenLost(dir, share, { signal: never, everyMs: 100, onWait: () => waited++ });
    expect(waited).toBe(1);
    expect(readdirSync(dir)).toEqual([`${LOCK_NAME}-2-of-3`]);
    lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is one that is in use when it is touched meanwhile; of this machine it is at once', async () => {
    const file = left(60_000);
    const touch = setTimeout(
      () => writeFileSync(file, JSON.stringify({ ...thisProcess(), host: 'elsewhere' })),
      150,
    );
    await expect(lockWhenLost(dir, share, { signal: never, everyMs: 50 })).rejects.toMatchObject({
      tag: 'output-in-use',
    });
    clearTimeout(touch);
    rmSync(file);
    const lock = lockFolder(dir, share);
    await expect(lockWhenLost(dir, share, { signal: never, everyMs: 60_000 })).rejects.toMatchObject({
      tag: 'output-in-use',
    });
    lock.release();
  });

  it('is waited for while its run lives, when that is wished', async () => {
    const first = lockFolder(dir, share);
    setTimeout(() => first.release(), 150);
    const lock = await lockWhenLost(dir, share, { signal: never, everyMs: 50, alive: true });
    expect(readdirSync(dir)).toEqual([`${LOCK_NAME}-2-of-3`]);
    lock.release();
  });

  it('is not waited for after an interruption', async () => {
    left(0);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stopped')), 50);
    await expect(lockWhenLost(dir, share, { signal: controller.signal, everyMs: 60_000 })).rejects.toThrow(
      'stopped',
    );
  });
});

describe('who a process is', () => {
  it('is told from one that has its number now, and from none', () => {
    const me = thisProcess();
    expect(stateOf(me)).toBe('running');
    if (me.started !== '') expect(stateOf({ ...me, started: '1' })).toBe('gone');
    expect(stateOf({ ...me, host: 'elsewhere' })).toBe('elsewhere');
    expect(parseIdentity(JSON.stringify(me))).toEqual(me);
    for (const none of ['', '{', '{}', '{"host":"a","pid":-1,"started":""}'])
      expect(parseIdentity(none)).toBeUndefined();
  });
});
