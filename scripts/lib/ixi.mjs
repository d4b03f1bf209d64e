/** Label maps of the train split of a BIDS data set, one after another. */

import { cohort, dataFolder } from '../../bench/lib/cohort.mjs';
import { scaledData } from '../../dist/formats/stored-image.js';
import { loadImage } from '../../dist/node/image-files.js';

export async function* loadTrainLabels(folder = dataFolder()) {
  for (const { labels } of await cohort(folder, 'train')) {
    const image = await loadImage(labels);
    yield { grid: image.grid, data: scaledData(image, 0) };
  }
}
