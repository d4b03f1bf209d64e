import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCK_NAME, lockFolder } from './lock.js';
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
