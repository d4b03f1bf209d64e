/**
 * A protocol's profile from a BIDS data set: one head a subject is measured, the first of its first session with the suffix asked for.
 *
 * @example
 * const { profile, refused } = await measureProtocol('bids', 'T1w', services);
 */

import { join } from 'node:path';
import { firstScans, readDataset } from '../bids/dataset.js';
import { makeHead } from '../brain/head.js';
import type { TissueLevels } from '../brain/protocol.js';
import { type ProtocolProfile, profileOf } from '../deidentify/profile.js';
import { isRefusal, Refusal } from '../errors/errors.js';
import { finiteVolume } from '../formats/stored-image.js';
import { measureTissues } from '../methods/cp-mae/measure-tissues.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { Mask, Volume } from '../volume/volume.js';
import { folderTree } from './folder-tree.js';
import { loadImage } from './image-files.js';

export interface ProtocolServices {
  readonly networks: NetworkRunner;
  extractBrain(volume: Volume): Promise<{ mask: Mask }>;
  readonly signal: AbortSignal;
  /** Acquisition label (`acq-LABEL`) that images must have; any when absent. */
  readonly acquisition?: string;
  /** Told of each head; names are the user's own. */
  onHead?(id: string, refused: string | undefined): void;
}

export interface MeasuredProtocol {
  readonly profile: ProtocolProfile;
  /** Heads that could not be measured. */
  readonly refused: number;
}

/** @throws {Refusal} dataset-invalid without such images; profile-invalid for fewer than five people */
export async function measureProtocol(
  folder: string,
  suffix: string,
  services: ProtocolServices,
): Promise<MeasuredProtocol> {
  const dataset = await readDataset(folderTree(folder));
  const wanted = dataset.subjects.map((subject) => ({
    ...subject,
    images: subject.images.filter(
      ({ entities }) =>
        services.acquisition === undefined ||
        entities.some(([key, label]) => key === 'acq' && label === services.acquisition),
    ),
  }));
  const { chosen } = firstScans({ subjects: wanted, unknown: [] }, suffix);
  if (chosen.length === 0)
    throw new Refusal('dataset-invalid', `expected sub-ID/[ses-ID/]anat/*_${suffix}.nii.gz, found none`);
  const heads: TissueLevels[] = [];
  let refused = 0;
  for (const { subject, image } of chosen) {
    services.signal.throwIfAborted();
    try {
      const volume = finiteVolume(await loadImage(join(folder, image.path)));
      const { mask } = await services.extractBrain(volume);
      const { levels } = await measureTissues(makeHead(volume, mask), {
        networks: services.networks,
        resolution: 128,
        signal: services.signal,
      });
      heads.push(levels);
      services.onHead?.(subject.id, undefined);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused++;
      services.onHead?.(subject.id, error.message);
    }
  }
  return { profile: profileOf(suffix, heads), refused };
}
