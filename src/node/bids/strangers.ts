/**
 * Images in an output data set that no record calls done: left by somebody else, or by a program that was changed. They may show a face.
 *
 * @example
 * const paths = strangersIn('released', records); // from the root of the output
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ScanRecord } from '../../bids/record.js';

export function strangersIn(output: string, records: readonly ScanRecord[]): string[] {
  const known = new Set(
    records.flatMap(({ status, output: path }) => (status === 'done' && path !== undefined ? [path] : [])),
  );
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(output, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (
        /\.(nii(\.gz)?|mgz|mgh|img(\.gz)?|hdr|dcm)$/i.test(entry.name) &&
        !known.has(path) &&
        !/_defacemask\.nii(\.gz)?$/i.test(entry.name)
      )
        found.push(path);
    }
  };
  walk('');
  return found.sort();
}
