/**
 * A session of five images against its T1w alone, in the same run: `deid` as a fresh process each, start-up included, in
 * turns. The ratio is to be 2 at most. Images: a folder that bench/session_heads.py painted (real people's anatomy: nothing
 * is kept). Needs `npm run build`.
 *
 * Usage: node bench/session.mjs FOLDER SUBJECT [--rounds 1] [--resolution 256] [--threads N]
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '1' },
    resolution: { type: 'string', default: '256' },
    threads: { type: 'string', default: '2' },
  },
});
const [folder, subject] = positionals;
if (folder === undefined || subject === undefined) {
  console.error('usage: node bench/session.mjs FOLDER SUBJECT');
  process.exit(2);
}
const program = fileURLToPath(new URL('../bin/prosopon.mjs', import.meta.url));
const OTHERS = ['T2w', 'FLAIR', 'PD', 'T1again'];
const image = (name) => join(folder, `${subject}_${name}.nii.gz`);

/** Seconds of one command, and what it reported. */
function deid(more) {
  const out = mkdtempSync(join(tmpdir(), 'bench-session-'));
  try {
    const began = performance.now();
    const args = [program, 'deid', image('T1w'), join(out, 'T1w.nii.gz'), '--seed', '1', '--json'];
    args.push('--resolution', options.resolution, '--threads', options.threads);
    for (const name of more) args.push('--with', `${image(name)}=${join(out, `${name}.nii.gz`)}`);
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const seconds = (performance.now() - began) / 1000;
    if (status !== 0) throw new Error(`deid ended with ${status}: ${stdout}${stderr}`);
    return { seconds, report: JSON.parse(stdout) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

for (let round = 0; round < Number(options.rounds); round++) {
  const alone = deid([]);
  const session = deid(OTHERS);
  const ratio = session.seconds / alone.seconds;
  console.log(
    `T1w alone ${alone.seconds.toFixed(1)} s, five images ${session.seconds.toFixed(1)} s, ratio ${ratio.toFixed(2)}`,
  );
  console.log(JSON.stringify({ alone: alone.report.stages, session: session.report.stages }));
  OTHERS.forEach((name, i) => {
    const { [`sameBrain.${i + 2}`]: same, [`faceGone.${i + 2}`]: gone } = session.report.checks;
    console.log(`${name}: likeness ${same?.value}, face kept ${gone?.value}`);
  });
}
