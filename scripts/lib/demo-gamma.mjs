/** The bundled head that is nobody, and gamma of cp-gan for it: what the figures are drawn of. */
import { fileURLToPath } from 'node:url';
import { extractBrain } from '../../dist/brain/extract.js';
import { makeHead } from '../../dist/brain/head.js';
import { scaledData } from '../../dist/formats/stored-image.js';
import { cpGan } from '../../dist/methods/cp-gan/cp-gan.js';
import { loadImage } from '../../dist/node/image-files.js';

/** @param networks a NetworkRunner with brain-extraction */
export async function demoGamma(networks) {
  const image = await loadImage(fileURLToPath(new URL('../../demo/head.nii.gz', import.meta.url)));
  const volume = { grid: image.grid, data: scaledData(image, 0) };
  const { mask } = await extractBrain(volume, networks, {});
  const head = makeHead(volume, mask);
  return { head, gamma: await cpGan.condition(head, { networks, resolution: 128 }) };
}
