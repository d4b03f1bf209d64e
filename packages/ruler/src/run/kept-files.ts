/**
 * What an evaluation leaves besides numbers, only when asked: treated scans, and front renderings for a human study.
 * Both show, or are, real people's heads.
 *
 * @example
 * const kept = [keptTreated('treated', subject, variant)];
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createImage, encodeImage } from 'prosopon';
import { encodePng, HEADER_DESCRIPTION } from 'prosopon/imaging';
import { nodeDeflate, nodeGzip, replaceFile } from 'prosopon/node';
import type { Subject } from './cohort.js';
import type { KeptFile } from './measure.js';
import type { Variant } from './variants.js';

function put(path: string, bytes: Uint8Array, identifies: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: identifies ? 0o700 : 0o777 });
  replaceFile(path, bytes, identifies ? 0o600 : 0o666);
}

/** FOLDER/METHOD/SUBJECT_T1w.nii.gz, values as float. */
export function keptTreated(folder: string, subject: Subject, variant: Variant): KeptFile {
  const path = join(folder, variant.name, `${subject.id}_T1w.nii.gz`);
  return {
    wanted: () => !existsSync(path),
    async put(view) {
      const image = createImage(view.volume.grid, view.volume.data);
      const [{ bytes }] = await encodeImage(image, image.stored, nodeGzip, {
        name: path,
        description: HEADER_DESCRIPTION,
      });
      put(path, bytes, false);
    },
  };
}

/** Front portrait of a variant: OUT/renderings/METHOD/SUBJECT.png, `original` from another camera than the rest. */
export function renderingPath(out: string, folder: string, variant: string, subject: string): string {
  return join(out, ...folder.split('/'), variant, `${subject}.png`);
}

export function renderingOf(out: string, subject: Subject, variant: Variant, folder: string): KeptFile {
  const path = renderingPath(out, folder, variant.name, subject.id);
  return {
    wanted: () => !existsSync(path),
    // Of the original among them: for their owner alone, all of them, as they lie side by side.
    put: async (view) => put(path, encodePng(view.pictures('portrait').front, nodeDeflate), true),
  };
}
