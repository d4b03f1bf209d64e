/**
 * What an evaluation leaves besides numbers, only when asked: treated scans, and front renderings for a human study.
 * Both show, or are, real people's heads.
 *
 * @example
 * const products = [keptTreated('treated', patient, variant)];
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HEADER_DESCRIPTION } from '../../deidentify/version.js';
import { createImage } from '../../formats/create-image.js';
import { encodeImage } from '../../formats/stored-image.js';
import { encodePng } from '../../render/png.js';
import { nodeDeflate } from '../deflate.js';
import { nodeGzip } from '../gzip.js';
import type { Patient } from './cohort.js';
import type { Product } from './measure.js';
import type { Variant } from './variants.js';

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}

/** FOLDER/METHOD/PATIENT_T1w.nii.gz, values as float. */
export function keptTreated(folder: string, patient: Patient, variant: Variant): Product {
  const path = join(folder, variant.name, `${patient.id}_T1w.nii.gz`);
  return {
    wanted: () => !existsSync(path),
    async put(view) {
      const image = createImage(view.volume.grid, view.volume.data);
      const [{ bytes }] = await encodeImage(image, image.stored, nodeGzip, {
        name: path,
        description: HEADER_DESCRIPTION,
      });
      await put(path, bytes);
    },
  };
}

/** Front portrait of a variant: OUT/renderings/METHOD/PATIENT.png, `original` from another camera than the rest. */
export function renderingPath(out: string, folder: string, variant: string, patient: string): string {
  return join(out, ...folder.split('/'), variant, `${patient}.png`);
}

export function renderingOf(out: string, patient: Patient, variant: Variant, folder: string): Product {
  const path = renderingPath(out, folder, variant.name, patient.id);
  return {
    wanted: () => !existsSync(path),
    put: (view) => put(path, encodePng(view.pictures('portrait').front, nodeDeflate)),
  };
}
