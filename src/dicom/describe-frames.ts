/**
 * The frames of an enhanced object as slices: what the functional groups say of each, its own before what is shared by all. Where a
 * frame lies, how its voxels are to be read, and what tells it from another frame at its place.
 *
 * @example
 * const frames = framesOfObject(file, new Values(file), { ...ids, pixels });
 * frames[0].position; // [-112.5, -98.1, 44.0]
 */
import { DIMENSION_VALUES, DIMENSIONS, FRAME_GROUPS, FRAME_TYPE, SHARED_GROUPS } from './allow-enhanced.js';
import { pointer } from './dimensions.js';
import {
  type FrameFacts,
  type PlaceSaid,
  placeOf,
  rankOf,
  rescaleOf,
  type SliceFacts,
} from './slice-facts.js';
import { Values } from './values.js';
import type { WalkedFile } from './walker.js';

const PIXEL_MEASURES = 0x00289110;
const PLANE_POSITION = 0x00209113;
const PLANE_ORIENTATION = 0x00209116;
const PIXEL_VALUES = 0x00289145;
const FRAME_CONTENT = 0x00209111;
const MR_FRAME_TYPE = 0x00189226;
const ECHO = 0x00189114;
const MODIFIER = 0x00189115;
const DIFFUSION = 0x00189117;
/** Once for all frames or once for each: with both, one reader takes this and another that. */
const ONE_PLACE = [PIXEL_MEASURES, PLANE_POSITION, PLANE_ORIENTATION, PIXEL_VALUES];
/** Dimensions that count places: stack, place in the stack, position. */
const PLACES: ReadonlySet<number> = new Set([0x00209056, 0x00209057, 0x00200032, 0x00201041]);

type OfAll = Pick<SliceFacts, 'study' | 'series' | 'instance' | 'person' | 'pixels'>;

/** @returns the frames in their order, or why the object cannot be treated */
export function framesOfObject(
  file: WalkedFile,
  values: Values,
  ofAll: OfAll,
): readonly [FrameFacts, ...FrameFacts[]] | string {
  if (values.get(0x00209161) !== undefined)
    return 'expected a whole enhanced object, found a part of a concatenation';
  const shared = values.item(SHARED_GROUPS);
  const own = values.get(FRAME_GROUPS)?.items;
  const count = values.number(0x00280008) ?? 1;
  if (own?.length !== count)
    return `expected functional groups of each of ${count} frames, found ${own?.length ?? 0}`;
  const imageType = values.text(0x00080008).toUpperCase();
  const padding = values.word(0x00280120, ofAll.pixels.signed);
  const counted = (values.get(DIMENSIONS)?.items ?? []).map(
    ({ elements }) => !PLACES.has(pointer(new Values({ ...file, elements }), 0x00209165)),
  );
  const frames: FrameFacts[] = [];
  for (const { elements } of own) {
    const frame = new Values({ ...file, elements });
    const both = ONE_PLACE.some((tag) => frame.get(tag) !== undefined && shared?.get(tag) !== undefined);
    if (both) return 'expected a functional group shared by all frames or said by each, found both';
    const group = (tag: number): Values | undefined => frame.item(tag) ?? shared?.item(tag);
    const said: PlaceSaid = {
      position: group(PLANE_POSITION),
      orientation: group(PLANE_ORIENTATION),
      measures: group(PIXEL_MEASURES),
    };
    const place = placeOf(said);
    if (typeof place === 'string') return place;
    const scaling = rescaleOf(group(PIXEL_VALUES));
    if (typeof scaling === 'string') return scaling;
    const content = group(FRAME_CONTENT);
    const type = group(MR_FRAME_TYPE);
    const echo = group(ECHO)?.doubles(0x00189082);
    const frameType = type?.text(FRAME_TYPE).toUpperCase() ?? imageType;
    const diffusion = group(DIFFUSION);
    const component = type?.text(0x00089208) ?? values.text(0x00089208);
    const temporal = content?.longs(0x00209128)?.[0];
    frames.push({
      ...ofAll,
      stack: {
        seriesNumber: values.text(0x00200011),
        imageType,
        echo: `${echo ?? ''}`,
        temporal: `${temporal ?? ''}`,
      },
      acquisition: values.text(0x00200012),
      ...place,
      ...scaling,
      ...(padding === undefined ? {} : { padding }),
      localizer: [imageType, frameType].some((said) => said.split('\\').includes('LOCALIZER')),
      rank: rankOf(values, echo?.[0]),
      volume: JSON.stringify([
        frameType,
        component,
        echo,
        temporal,
        group(MODIFIER)?.doubles(0x00189079),
        diffusion?.doubles(0x00189087),
        diffusion?.item(0x00189076)?.doubles(0x00189089),
      ]),
      counts: JSON.stringify(content?.longs(DIMENSION_VALUES)?.filter((_, i) => counted[i] === true)),
      magnitude: component === 'MAGNITUDE' || component === '',
    });
  }
  const [first, ...others] = frames;
  return first === undefined ? 'expected frames in an enhanced object, found none' : [first, ...others];
}
