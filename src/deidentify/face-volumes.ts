/**
 * The faces of all volumes of an image: the first may show none (a brain cut out, a map) where a later one does, and a
 * method that looks at the first alone then leaves the later one's as it was.
 *
 * @example
 * const before = faceSurfaces(image, head.pose, head.scale); // the image may be overwritten now
 * const { kept, volume } = mostKept(before, result, true);
 */
import { Failure, Refusal } from '../errors/errors.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import type { Affine } from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import type { Check } from './checks.js';
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

/**
 * How much of the original's face still stands in a result, 0 to 1.
 * @throws {Refusal} face-kept when it is more than strangers share
 */
export function faceGone(
  faces: readonly FaceSurface[],
  result: StoredImage,
  drawn: boolean,
): { readonly check: Check; readonly movedMm?: number } {
  const { kept, volume, before } = mostKept(faces, result, drawn);
  const { movedMm } = kept;
  if (isFaceGone(kept, drawn))
    return {
      check: { passed: true, value: Number(kept.share.toFixed(3)) },
      ...(movedMm === undefined ? {} : { movedMm: Number(movedMm.toFixed(2)) }),
    };
  throw new Refusal(
    'face-kept',
    `expected a result without the original's face, found ${(100 * Math.max(kept.share, kept.sameBits)).toFixed(0)} % of it in its place${faces.length > 1 ? ` in volume ${volume + 1} of ${faces.length}` : ''}; ${
      before.elsewhere
        ? 'the face is not where the brain mask says: look at the mask and at the orientation (prosopon inspect)'
        : kept.folded !== undefined && kept.folded >= kept.share
          ? 'it is folded over behind the head, where this method does not reach: try --method cp-mae'
          : 'look at the brain mask, or try another --method'
    }`,
  );
}
