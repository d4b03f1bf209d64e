/** What stands in README and beside it leads somewhere in the package too, where there is no repository around it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let packed: ReadonlySet<string>;

beforeAll(() => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32',
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  packed = new Set(files.map((file) => file.path));
}, 120_000);

/** Paths within the repository that a page links to; addresses and places on the page itself are left out. */
function linksOf(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link.replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
    .map((link) => path.posix.normalize(path.posix.join(path.posix.dirname(page), link)));
}

describe('the package', () => {
  it.each(['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/INVARIANTS.md', 'docs/methods.md'])(
    'holds every file that %s links to',
    (page) => {
      const missing = linksOf(page).filter(
        (link) => !packed.has(link) && ![...packed].some((file) => file.startsWith(`${link}/`)),
      );
      expect(missing).toEqual([]);
    },
  );

  it('links are found', () => {
    expect(linksOf('README.md')).toContain('docs/INVARIANTS.md');
    expect(linksOf('README.md')).toContain('docs/images/faces.png');
  });

  it('holds no tests, no maps and no training', () => {
    expect(
      [...packed].filter((file) => /\.test\.|\.map$|^training\/|^src\/|^test\/|\/testing\//.test(file)),
    ).toEqual([]);
  });
});
