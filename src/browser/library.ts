/**
 * The library's functions in a browser: gzip is the platform's; the runner is the page's own, which knows where its models
 * and its worker are.
 *
 * @example
 * const { images, checks } = await deidentify(image, { method: 'cp-mae', seed: 42 }, { networks });
 */
import { deidentifyImage, type LibraryOptions, type PlatformServices } from '../deidentify/library.js';
import type { Deidentified } from '../deidentify/pipeline.js';
import type { StoredImage } from '../formats/stored-image.js';
import { browserGzip } from './gzip.js';

export { checkImages as checkResult, findBrain } from '../deidentify/library.js';

/** See `prosopon`. */
export function deidentify(
  image: StoredImage,
  options: LibraryOptions,
  given: Omit<PlatformServices, 'gzip'> & Partial<Pick<PlatformServices, 'gzip'>>,
): Promise<Deidentified> {
  return deidentifyImage(image, options, { gzip: browserGzip, ...given });
}
