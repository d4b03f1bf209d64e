/** The commands of the ruler where it is not installed: their help is there, and what has to be installed is said. */
import { expect, it } from 'vitest';
import { loadRuler } from '../node/find-ruler.js';
import { runCli } from './program.js';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    loadRuler: () => loadRuler(['/nowhere/package.json']),
  });
  return { code, out, err };
}

it.each([
  [['evaluate', '--help'], '--mask-error-heads'],
  [['study', '--help'], 'score'],
  [['study', 'build', '--help'], '--answers-per-question'],
  [['study', 'score', '--help'], '--key'],
])('%s', async (args, option) => {
  const { code, out, err } = await run(...args);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(option);
});

it.each([
  [['evaluate', 'bids', 'out', '--methods', 'quickshear']],
  [['evaluate', 'bids', 'out', '--methods', 'quickshear', '--json']],
  [['study', 'build', 'from', 'out']],
  [['study', 'score', 'a.csv', '--key', 'key.json']],
])('%s ends in 1 and says what to install', async (args) => {
  const { code, out, err } = await run(...args);
  expect(code).toBe(1);
  expect(err).toContain('npm install prosopon-ruler@');
  if (args.includes('--json')) expect(JSON.parse(out)).toMatchObject({ reason: 'package-missing' });
});
