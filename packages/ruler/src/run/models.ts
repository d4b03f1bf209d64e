/**
 * Where the ruler's own networks lie: `models/` of this package. They are searched after the product's, so that a folder which a
 * user names may hold others for the ruler too.
 *
 * @example
 * const networks = new NodeNetworkRunner({ models: [packagedModels(), rulerModels()] });
 */
import { fileURLToPath } from 'node:url';

/** Two levels up, in a clone (`src/run/`) as in an installed package (`dist/run/`). */
export function rulerModels(): string {
  return fileURLToPath(new URL('../../models', import.meta.url));
}
