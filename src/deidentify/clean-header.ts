/**
 * An image with its voxels as they are and its header made anew by the writer's allow-list: for what shows no face to speak of and
 * is copied on the user's word. What is returned has been read back and compared.
 *
 * @example
 * const files = await cleanHeader(image, 'out.nii.gz', gzip);
 */
import { Failure } from '../errors/errors.js';
import { auditHeaders } from '../formats/codecs.js';
import type { Gzip } from '../formats/gzip.js';
import { decodeImage, encodeImage, type ImageFiles, type StoredImage } from '../formats/stored-image.js';
import { HEADER_DESCRIPTION } from './version.js';

/** @throws {Refusal} option-invalid for a name of another format  @throws {Failure} verification-failed */
export async function cleanHeader(image: StoredImage, outputName: string, gzip: Gzip): Promise<ImageFiles> {
  const files = await encodeImage(image, image.stored, gzip, {
    name: outputName,
    description: HEADER_DESCRIPTION,
  });
  const result = await decodeImage(files, gzip, { allowConstant: true });
  const { sameGeometry, strayBytes } = auditHeaders(image, result, HEADER_DESCRIPTION);
  const bytes = ({ stored }: StoredImage): Uint8Array =>
    new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  const [before, after] = [bytes(image), bytes(result)];
  if (
    !sameGeometry ||
    strayBytes > 0 ||
    before.length !== after.length ||
    !before.every((b, i) => b === after[i])
  )
    throw new Failure('verification-failed', 'a copy with a clean header did not read back the same');
  return files;
}
