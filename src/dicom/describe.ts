/**
 * What is to be known of a file to say which series and stack it belongs to, and what it is when it is none that is treated here.
 *
 * @example
 * const described = describe(walk(bytes));
 * if (described.kind === 'slice') described.slice.position; // [-112.5, -98.1, 44.0]
 */
import { framesOfObject } from './describe-frames.js';
import { type PersonFacts, personOf } from './person.js';
import { type FrameFacts, pixelsOf, placeOf, rankOf, rescaleOf, type SliceFacts } from './slice-facts.js';
import { CLASSIC_MR, isEnhanced } from './sop-classes.js';
import { Values } from './values.js';
import type { WalkedFile } from './walker.js';

export type Described =
  | { readonly kind: 'slice'; readonly slice: SliceFacts }
  /** An enhanced object, all of whose frames have one of each UID. */
  | { readonly kind: 'frames'; readonly frames: readonly [FrameFacts, ...FrameFacts[]] }
  /** Not of a kind that is treated. */
  | { readonly kind: 'left'; readonly why: string }
  /** A slice that makes its series impossible. */
  | {
      readonly kind: 'refused';
      readonly study: string;
      readonly series: string;
      readonly person: PersonFacts;
      readonly enhanced: boolean;
      readonly why: string;
    };

/** Names of what is met beside MR series; whatever else is met has none. */
const OTHERS: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.3.10': 'DICOMDIR',
  '1.2.840.10008.5.1.4.1.1.4.2': 'MR spectroscopy',
  '1.2.840.10008.5.1.4.1.1.4.3': 'enhanced MR in colour',
  '1.2.840.10008.5.1.4.1.1.2': 'CT',
  '1.2.840.10008.5.1.4.1.1.2.1': 'enhanced CT',
  '1.2.840.10008.5.1.4.1.1.7': 'secondary capture',
  '1.2.840.10008.5.1.4.1.1.7.1': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.2': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.3': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.4': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.11.1': 'presentation state',
  '1.2.840.10008.5.1.4.1.1.66': 'raw data',
  '1.2.840.10008.5.1.4.1.1.66.1': 'spatial registration',
  '1.2.840.10008.5.1.4.1.1.66.4': 'segmentation',
  '1.2.840.10008.5.1.4.1.1.66.5': 'surface segmentation',
  '1.2.840.10008.5.1.4.1.1.88.11': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.22': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.33': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.59': 'key object selection',
  '1.2.840.10008.5.1.4.1.1.88.67': 'radiation dose report',
  '1.2.840.10008.5.1.4.1.1.104.1': 'encapsulated PDF',
  '1.2.840.10008.5.1.4.1.1.128': 'PET',
  '1.2.840.10008.5.1.4.1.1.130': 'enhanced PET',
  '1.2.840.10008.5.1.4.1.1.481.2': 'RT dose',
  '1.2.840.10008.5.1.4.1.1.481.3': 'RT structure set',
  '1.2.840.10008.5.1.4.1.1.481.5': 'RT plan',
};

export function describe(file: WalkedFile): Described {
  const values = new Values(file);
  const metaClass = new Values({ ...file, elements: file.meta }).text(0x00020002);
  const sopClass = values.text(0x00080016) || metaClass;
  const enhanced = isEnhanced(sopClass);
  if (sopClass !== CLASSIC_MR && !enhanced)
    return { kind: 'left', why: OTHERS[sopClass] ?? 'an object of a kind that is not known here' };
  const ids = {
    study: values.text(0x0020000d),
    series: values.text(0x0020000e),
    instance: values.text(0x00080018),
    person: personOf(file),
  };
  if (ids.study === '' || ids.series === '' || ids.instance === '')
    return { kind: 'left', why: 'an MR image without study, series or instance UID' };
  const why = (found: string): Described => ({ kind: 'refused', ...ids, enhanced, why: found });
  const { compressed, decoder } = file.syntax;
  if (compressed !== undefined && decoder === undefined)
    return why(`expected voxels that can be decoded here, found ${compressed}`);
  if (values.text(0x00280301).toUpperCase() === 'YES')
    return why('expected no text burned into the picture, found Burned In Annotation YES');
  const pixels = pixelsOf(values, compressed !== undefined, enhanced);
  if (typeof pixels === 'string') return why(pixels);
  if (enhanced) {
    const frames = framesOfObject(file, values, { ...ids, pixels });
    return typeof frames === 'string' ? why(frames) : { kind: 'frames', frames };
  }
  const place = placeOf({ position: values, orientation: values, measures: values });
  if (typeof place === 'string') return why(place);
  const scaling = rescaleOf(values);
  if (typeof scaling === 'string') return why(scaling);
  const imageType = values.text(0x00080008).toUpperCase();
  const padding = values.word(0x00280120, pixels.signed);
  return {
    kind: 'slice',
    slice: {
      ...ids,
      stack: {
        seriesNumber: values.text(0x00200011),
        imageType,
        echo: `${values.text(0x00180086)} ${values.text(0x00180081)}`,
        temporal: values.text(0x00200100),
      },
      acquisition: values.text(0x00200012),
      pixels,
      ...place,
      ...scaling,
      ...(padding === undefined ? {} : { padding }),
      localizer: imageType.split('\\').includes('LOCALIZER'),
      rank: rankOf(values, values.number(0x00180081)),
    },
  };
}
