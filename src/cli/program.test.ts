import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { niftiBytes, simpleHead } from '../deidentify/testing/fixtures.js';
import { VERSION } from '../deidentify/version.js';
import { createMethods, MethodRegistry } from '../methods/registry.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { Interrupted, outcomeOf, traceOf } from './outcome.js';
import { runCli } from './program.js';
import { defaultEnvironment, type Environment, Session } from './session.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cli-'));
  await writeFile(at('in.nii'), niftiBytes({ grid, volumes: [head.volume.data] }));
  await writeFile(
    at('mask.nii'),
    niftiBytes({ grid, volumes: [Float32Array.from(head.brainMask.data)], datatype: 'uint8' }),
  );
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});
const at = (name: string): string => path.join(dir, name);

async function run(
  args: readonly string[],
  given: Partial<Environment> = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    methods: new MethodRegistry().register(fakeMethod()),
    makeHead: simpleHead,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    ...given,
  });
  return { code, out, err };
}
const deid = (...more: string[]): string[] => [
  'deid',
  at('in.nii'),
  at('out.nii.gz'),
  '--brain-mask',
  at('mask.nii'),
  ...more,
];

describe('prosopon deid', () => {
  it('writes the result and the masks, and reports in JSON', async () => {
    const { code, out, err } = await run(
      deid(
        '--json',
        '--seed',
        '7',
        '--save-brain-mask',
        at('brain.nii.gz'),
        '--save-altered',
        at('altered.nii'),
      ),
    );
    expect(err).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ status: 'done', method: 'fake', seedGiven: true });
    expect(Object.keys(report.stages)).toEqual(
      expect.arrayContaining([
        'read',
        'brain',
        'condition',
        'synthesise',
        'composite',
        'encode',
        'verify',
        'write',
      ]),
    );
    expect(Object.values(report.checks as Record<string, { passed: boolean }>).every((c) => c.passed)).toBe(
      true,
    );
    expect(report.peakMemoryMb).toBeGreaterThan(10);
    expect((await readdir(dir)).sort()).toEqual([
      'altered.nii',
      'brain.nii.gz',
      'in.nii',
      'mask.nii',
      'out.nii.gz',
    ]);
  });

  it('gives the result to verify, which finds it good, and finds the original in itself', async () => {
    await run(deid('--save-altered', at('altered.nii'), '--brain-margin-mm', '3'));
    const mask = ['--brain-mask', at('mask.nii'), '--json'];
    const good = await run(['verify', at('in.nii'), at('out.nii.gz'), ...mask]);
    expect(good.code).toBe(0);
    const same = await run(['verify', at('in.nii'), at('in.nii'), ...mask]);
    expect(same.code).toBe(1);
    expect(JSON.parse(same.out).checks.changedOutside.passed).toBe(false);
    // With the mask of what is new, all else must be the same and nothing of it as it was.
    const strict = ['--brain-mask', at('mask.nii'), '--altered', at('altered.nii'), '--json'];
    expect((await run(['verify', at('in.nii'), at('out.nii.gz'), ...strict])).code).toBe(0);
    expect((await run(['verify', at('in.nii'), at('in.nii'), ...strict])).code).toBe(1);
  });

  it('repeats with a seed and differs without', async () => {
    const bytes = async (...more: string[]): Promise<string> => {
      expect((await run(deid('--force', ...more))).code).toBe(0);
      return (await readFile(at('out.nii.gz'))).toString('base64');
    };
    const one = await bytes('--seed', 'a');
    expect(await bytes('--seed', 'a')).toBe(one);
    expect(await bytes('--seed', 'b')).not.toBe(one);
    expect(await bytes()).not.toBe(await bytes());
  });

  it('writes a pair of files', async () => {
    const { code } = await run(['deid', at('in.nii'), at('pair.img'), '--brain-mask', at('mask.nii')]);
    expect(code).toBe(0);
    expect(await readdir(dir)).toEqual(expect.arrayContaining(['pair.hdr', 'pair.img']));
    const { code: verified } = await run([
      'verify',
      at('in.nii'),
      at('pair.hdr'),
      '--brain-mask',
      at('mask.nii'),
    ]);
    expect(verified).toBe(0);
  });

  it('never overwrites the other half of its input, however that is compressed', async () => {
    const { code: made } = await run(['deid', at('in.nii'), at('head.hdr'), '--brain-mask', at('mask.nii')]);
    expect(made).toBe(0);
    const voxels = gzipSync(await readFile(at('head.img')));
    await rm(at('head.img'));
    await writeFile(at('head.img.gz'), voxels);
    for (const [input, output] of [
      ['head.hdr', 'head.hdr.gz'],
      ['head.img.gz', 'head.img.gz'],
      ['head.img.gz', 'head.hdr'],
    ] as const) {
      const { code, out } = await run([
        ...['deid', at(input), at(output), '--brain-mask', at('mask.nii'), '--force', '--json'],
      ]);
      expect([code, JSON.parse(out).reason]).toEqual([1, 'output-is-input']);
    }
    expect(Buffer.compare(await readFile(at('head.img.gz')), voxels)).toBe(0);
  });

  it('writes a report that shows the original only when asked, and then says so', async () => {
    expect((await run(deid('--qc', at('a.html')))).code).toBe(0);
    const html = await readFile(at('a.html'), 'utf8');
    expect(html).toContain('All checks passed');
    expect(html.match(/<img /g)).toHaveLength(5);
    expect(html).not.toMatch(/original face|https?:|<script|in\.nii/i);
    expect((await run(deid('--force', '--qc', at('b.html'), '--qc-with-original'))).code).toBe(0);
    const shown = await readFile(at('b.html'), 'utf8');
    expect(shown).toContain('shows the ORIGINAL face');
    expect(shown.indexOf('class="danger"')).toBeLessThan(shown.indexOf('<h1>'));
    expect(shown.match(/<img /g)).toHaveLength(10);
  });

  it('renders a picture', async () => {
    expect((await run(['render', at('in.nii'), at('a.png'), '--view', '30,10'])).code).toBe(0);
    expect((await readFile(at('a.png'))).subarray(1, 4).toString()).toBe('PNG');
    expect((await run(['render', at('in.nii'), at('b.png'), '--view', 'inside'])).code).toBe(2);
  });

  it('writes no picture and no page under the name of a scan', async () => {
    for (const args of [
      ['render', at('in.nii'), at('picture.nii.gz')],
      ['render', at('in.nii'), at('picture')],
      deid('--qc', at('page.nii.gz')),
      deid('--qc', at('page.txt')),
    ]) {
      const { code, err } = await run(args);
      expect(err).toMatch(/Expected a file name that ends in \.(png|html or \.htm)\./);
      expect(code).toBe(2);
    }
    expect((await readdir(dir)).sort()).toEqual(['in.nii', 'mask.nii']);
    expect((await run(['render', at('in.nii'), at('Picture.PNG')])).code).toBe(0);
  });

  it('takes --jobs with --out-dir only', async () => {
    const { code, err } = await run(deid('--jobs', '2'));
    expect(err).toBe('prosopon: expected --out-dir DIR with --jobs, found none\n');
    expect(code).toBe(2);
  });

  it('treats other images on the grid', async () => {
    await writeFile(
      at('t2.nii'),
      niftiBytes({ grid, volumes: [head.volume.data.map((v) => v * 2)], datatype: 'float32' }),
    );
    const { code } = await run(deid('--apply-to', `${at('t2.nii')}=${at('t2-out.nii')}`));
    expect(code).toBe(0);
    expect(await readdir(dir)).toContain('t2-out.nii');
  });

  it.each([
    ['an output that is the mask given', ['--save-altered', 'mask.nii'], 'output-is-input'],
    ['an output that is a folder', ['--save-altered', 'folder.nii'], 'output-exists'],
  ])('refuses %s and writes nothing', async (_, more, tag) => {
    await mkdir(at('folder.nii'));
    const before = await readdir(dir);
    const { code, out, err } = await run(
      deid('--json', ...more.map((m) => (m.includes('.nii') ? at(m) : m))),
    );
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ status: 'refused', reason: tag, outputs: [] });
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(await readdir(dir)).toEqual(before);
  });

  it.each([
    [[]],
    [['--nonsense']],
    [['--brain-margin-mm', 'x']],
    [['--resolution', '100']],
    [['--method', 'secret']],
    [['--keep', 'cranium']],
    [['--qc-with-original']],
    [['--trust-mask']],
    [['--seed', '']],
    [['--save-altered', 'out.nii.gz']],
    [['--save-altered', 'a.jpg']],
    [['--models', 'secret']],
  ])('exits 2 for wrong usage %j without repeating names', async (more) => {
    const args =
      more.length === 0
        ? ['deid', at('secret.nii')]
        : more[0] === '--trust-mask'
          ? ['deid', at('in.nii'), at('o.nii'), ...more]
          : deid(...more.map((m) => (/^out|jpg$/.test(m) ? at(m) : m)));
    const before = await readdir(dir);
    const { code, out, err } = await run([...args, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ status: 'usage', outputs: [] });
    expect(err).not.toContain(dir);
    expect(err).not.toContain('secret');
    expect(err.trim()).not.toBe('');
    expect(await readdir(dir)).toEqual(before);
  });

  it('tells with each result what a method cautions against, and in the help', async () => {
    const methods = new MethodRegistry().register({ ...fakeMethod(), caution: 'not for release' });
    const { code, out, err } = await run(deid('--json'), { methods });
    expect(code).toBe(0);
    expect(JSON.parse(out).warnings).toContain('not for release');
    expect(err).toContain('prosopon: warning: not for release');
    expect((await run(['deid', '--help'], { methods })).out).toContain('fake: not for release');
    expect(createMethods().get('cp-gan').caution).toContain('not for release');
  });

  it('says of an interrupted command what is there', async () => {
    const session = new Session(defaultEnvironment(new AbortController().signal));
    expect(session.interruption()).toEqual({});
    const outputs = session.outputs({ force: false, inputs: [] });
    await outputs.stage(at('a'), Uint8Array.of(1));
    await outputs.commit();
    expect(session.interruption().message).toBe('interrupted; one file was already in place, whole');
    expect(session.committed).toEqual([at('a')]);
    await session.close();
  });

  it('takes --scale with a method that draws heads by size only, within its limits', async () => {
    const scales: unknown[] = [];
    const plain = fakeMethod();
    const scalable: typeof plain = {
      ...plain,
      options: { scale: [0.85, 1.15] },
      synthesize: (gamma, seed, context) => {
        scales.push(context.scale);
        return plain.synthesize(gamma, seed, context);
      },
    };
    const methods = new MethodRegistry().register(scalable);
    expect((await run(deid('--scale', '0.9'), { methods })).code).toBe(0);
    expect((await run(deid('--force'), { methods })).code).toBe(0);
    expect(scales).toEqual([0.9, undefined]);
    for (const wrong of ['0.84', '1.2', 'big', ''])
      expect((await run(deid('--force', '--scale', wrong), { methods })).code).toBe(2);
    const other = { ...plain, name: 'other' };
    const { code, err } = await run(deid('--force', '--scale', '0.9', '--method', 'other'), {
      methods: new MethodRegistry().register(scalable).register(other),
    });
    expect(code).toBe(2);
    expect(err).toMatch(/a scale only with a method that draws heads by size.*with other/);
    // What the help says of it comes from the methods that there are.
    const { out } = await run(['deid', '--help'], { methods });
    expect(out.replace(/\s+/g, ' ')).toContain('its own; 0.85 to 1.15 (fake only)');
  });

  it('ends with 130 when interrupted, at once, and leaves nothing', async () => {
    const controller = new AbortController();
    const before = await readdir(dir);
    const promise = run(deid(), {
      methods: new MethodRegistry().register(fakeMethod({ waitMs: 60_000 })),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Interrupted()), 300);
    expect((await promise).code).toBe(130);
    expect(await readdir(dir)).toEqual(before);
  });

  it('ends with 3 on a crash, and tells no message, name or path', async () => {
    const method = fakeMethod();
    const crash = {
      ...method,
      condition: async (): Promise<never> => {
        throw new TypeError(`cannot read ${at('in.nii')} of Jane Doe`);
      },
    };
    const { code, err } = await run(deid(), { methods: new MethodRegistry().register(crash) });
    expect(code).toBe(3);
    expect(err).toContain('TypeError');
    expect(err).not.toMatch(/Jane|in\.nii/);
    expect(err).not.toContain(dir);
  });
});

describe('outcomes', () => {
  it('shows frames within the package only', () => {
    const error = new Error('secret');
    error.stack = [
      'Error: secret',
      '    at work (/home/jane/prosopon/dist/cli/deid.js:10:5)',
      '    at file:///home/jane/prosopon/src/node/gzip.ts:3:1',
      '    at async Promise.all (index 0)',
      '    at process.x (node:internal/process:1:2)',
      '    at odd (/home/jane/scan.nii:1:1)',
    ].join('\n');
    expect(traceOf(error)).toBe(
      [
        'Error',
        '    at work dist/cli/deid.js:10:5',
        '    at src/node/gzip.ts:3:1',
        '    at process.x node:internal/process:1:2',
      ].join('\n'),
    );
    expect(outcomeOf(error, false).code).toBe(3);
  });
});

it('says that no networks are there, and refuses to call that verified', async () => {
  await mkdir(at('models'));
  for (const command of [[], ['verify']])
    expect(await run(['models', ...command, '--models', at('models')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('found none'),
    });
});

it('says in every help how it can end, and which files it reads', async () => {
  for (const command of ['deid', 'brain', 'render', 'inspect', 'verify', 'models', 'demo']) {
    const { code, out } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/\nExit codes: 0 done; 1 refused, nothing written; 2 wrong usage; 3 failed/);
    if (!['models', 'demo'].includes(command))
      expect(out.replace(/\s+/g, ' ')).toContain('(.nii, .nii.gz, .hdr, .img, .mgh or .mgz)');
  }
  expect((await run(['--help'])).out).toContain('Exit codes: 0 done');
});

it('prints the version that package.json has', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(VERSION).toBe(version);
  expect(await run(['version'])).toMatchObject({ code: 0, out: `${version}\n` });
  expect(await run(['--version'])).toMatchObject({ code: 0, out: `${version}\n` });
});
