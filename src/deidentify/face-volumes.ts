/**
 * The faces of all volumes of an image: the first may show none (a brain cut out, a map) where a later one does, and a
 * method that looks at the first alone then leaves the later one's as it was.
 *
 * @example
 * const before = faceSurfaces(image, head.pose, head.scale); // the image may be overwritten now
 * const { kept, volume } = mostKept(before, result, true);
 */
import { Failure } from '../errors/errors.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import type { Affine } from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import { type FaceKept, type FaceSurface, faceKept, faceSurface, isFaceGone } from './face-gone.js';

/** One a volume. @param first values of the first, where they are there already */
export function faceSurfaces(
  image: StoredImage,
  pose: Affine,
  scale?: number,
  first?: Volume,
): FaceSurface[] {
  return Array.from({ length: image.volumes }, (_, volume) =>
    faceSurface((volume === 0 ? first : undefined) ?? finiteVolume(image, volume), pose, scale),
  );
}

export interface VolumeKept {
  readonly kept: FaceKept;
  /** From 0. */
  readonly volume: number;
  readonly before: FaceSurface;
}

/**
 * The volume in which most of its face still stands; one whose face is not gone comes before all others.
 * @param before of the original's volumes  @param drawn as for `isFaceGone`
 */
export function mostKept(before: readonly FaceSurface[], result: StoredImage, drawn: boolean): VolumeKept {
  let most: VolumeKept | undefined;
  for (const [volume, surface] of before.entries()) {
    const kept = faceKept(surface, finiteVolume(result, volume));
    if (most === undefined || rank(kept, drawn) > rank(most.kept, drawn))
      most = { kept, volume, before: surface };
  }
  if (most === undefined) throw new Failure('internal', 'an image has at least one volume');
  return most;
}

function rank(kept: FaceKept, drawn: boolean): number {
  return isFaceGone(kept, drawn) ? kept.share : 2 + Math.max(kept.share, kept.sameBits);
}
