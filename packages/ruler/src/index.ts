/**
 * The ruler: how well a method that de-identifies head MRI hides who somebody is, and what it leaves of the measurements of the
 * brain. `prosopon evaluate` and `prosopon study` find it here.
 *
 * @example
 * import { ruler } from 'prosopon-ruler';
 * const { lines } = await ruler.evaluate(request, host);
 */
import { createRuler } from './commands/ruler.js';

export { createRuler } from './commands/ruler.js';
export type { FaceSeen } from './run/face-recognition.js';
export type { HeadView } from './run/head-view.js';
export type { Instrument, Instruments, Missing, Ready, Segmented, ToSegment } from './run/instruments.js';
export { rulerModels } from './run/models.js';
export { RULER_VERSION } from './run/version.js';
export type { LabelClass, LabelMap } from './utility/segmentation-agreement.js';

/** With the instruments that are installed. */
export const ruler = createRuler();
