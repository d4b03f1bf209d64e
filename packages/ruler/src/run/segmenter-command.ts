/**
 * Any other segmenter as a command: `--segmenter 'tool --in {in} --out {out}'`. It gets a NIfTI file and must leave a
 * label map on the same grid. Run without a shell: what stands in quotes is one argument, `{in}` and `{out}` are
 * replaced, nothing else means anything.
 *
 * @example
 * const labels = await runSegmenter(parseCommand('seg -i {in} -o {out}'), volume, signal);
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createImage, encodeImage, Failure, isRefusal, Refusal, scaledData } from 'prosopon';
import { sameGrid, type Volume } from 'prosopon/imaging';
import { loadImage, nodeGzip } from 'prosopon/node';

/** @throws {Refusal} option-invalid when `{in}` or `{out}` is missing or a quote is not closed */
export function parseCommand(text: string): string[] {
  const words: string[] = [];
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)/y;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null)
      throw new Refusal(
        'option-invalid',
        'expected a segmenter command with every quote closed, found one open',
      );
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
    at = pattern.lastIndex;
  }
  for (const place of ['{in}', '{out}'])
    if (!words.slice(1).some((word) => word.includes(place)))
      throw new Refusal(
        'option-invalid',
        `expected ${place} among the arguments of the segmenter command, found none`,
      );
  return words;
}

/** What the command left, or why it counts as a failure of the segmenter on this head. */
export type SegmenterResult = { readonly labels: Uint16Array } | { readonly failed: string };

/** A tool of minutes is normal, one of hours hangs. */
const TIMEOUT_MS = 4 * 3600 * 1000;

/**
 * @throws {Refusal} option-invalid when the program cannot be started at all
 * @throws the signal's reason when aborted
 */
export async function runSegmenter(
  command: readonly string[],
  volume: Volume,
  signal?: AbortSignal,
): Promise<SegmenterResult> {
  const folder = await mkdtemp(join(tmpdir(), 'prosopon-segmenter-'));
  try {
    const input = join(folder, 'in.nii.gz');
    const output = join(folder, 'out.nii.gz');
    const image = createImage(volume.grid, volume.data);
    const [{ bytes }] = await encodeImage(image, image.stored, nodeGzip, { name: input });
    await writeFile(input, bytes, { mode: 0o600 });
    const [program = '', ...args] = command.map((word) =>
      word.replaceAll('{in}', input).replaceAll('{out}', output),
    );
    try {
      await promisify(execFile)(program, args, {
        timeout: TIMEOUT_MS,
        maxBuffer: 64 * 2 ** 20,
        windowsHide: true,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      const { code } = cause as { code?: unknown };
      if (code === 'ENOENT' || code === 'EACCES')
        throw new Refusal(
          'option-invalid',
          `expected a segmenter that can be started, found none (${code})`,
          { cause },
        );
      return {
        failed: `the segmenter ended with ${typeof code === 'number' ? `exit code ${code}` : 'a signal'}`,
      };
    }
    return await labelsFrom(output, volume);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function labelsFrom(path: string, volume: Volume): Promise<SegmenterResult> {
  try {
    const image = await loadImage(path, { allowConstant: true });
    if (!sameGrid(image.grid, volume.grid)) return { failed: 'the label map is on another grid' };
    const values = scaledData(image, 0);
    const labels = new Uint16Array(values.length);
    for (let o = 0; o < labels.length; o++) {
      const v = values[o] as number;
      if (!(v >= 0 && v < 65536)) return { failed: 'the label map has values that are no labels' };
      labels[o] = Math.round(v);
    }
    return { labels };
  } catch (error) {
    if (isRefusal(error)) return { failed: `the segmenter left no label map (${error.tag})` };
    if (error instanceof Failure) throw error;
    throw error;
  }
}
