/**
 * The region map in the report: its block, the figure on the page, and a picture per method as a file.
 *
 * @example
 * for (const [name, png] of regionMapFiles(sections, nodeDeflate)) await writeFile(name, png);
 */
import { base64, type Deflate, encodePng, html, type Markup } from 'prosopon/imaging';
import { SEGMENTATION_CLASSES } from '../utility/segmentation-classes.js';
import { drawRegionMap } from './region-map.js';
import { type Absent, absent, type RegionMap, type Section } from './results.js';

/** A map, or a sentence where a class is none of our segmentation's: the atlas does not know where it lies. */
export function regionMapBlock({
  names,
  ...map
}: Omit<RegionMap, 'kind'> & { readonly names: ReadonlyMap<number, string> }): RegionMap | Absent {
  // By name too: the same number means another region to another segmenter.
  const ours = new Map(SEGMENTATION_CLASSES.map(({ id, name }) => [id, name]));
  for (const [id, name] of names)
    if (id === 0 || ours.get(id) !== name)
      return absent(
        map.id,
        map.title,
        `the map shows the ${SEGMENTATION_CLASSES.length - 1} classes of our own segmentation, and "${name}" is none of them; the table has every class`,
      );
  return { kind: 'region-map', ...map };
}

/** @param deflate The platform's zlib; without it the picture is stored uncompressed. */
export function regionMapFigure({ changes, arm }: RegionMap, deflate?: Deflate): Markup {
  const heads = changes.map(({ n }) => n);
  const [least, most] = [Math.min(...heads), Math.max(...heads)];
  const n = least === most ? `${most}` : `${least} to ${most}`;
  const consistent = changes.filter((change) => change.consistent).length;
  const png = encodePng(drawRegionMap([{ changes }]), deflate);
  const alt = `Slices of an average brain, regions coloured by their mean change in volume, ${arm}`;
  const caption =
    `Mean change in volume, n = ${n}; white: none, blue: less, red: more, full colour at 5 % and beyond. ` +
    `Dark outline and full colour: the ${consistent} of ${changes.length} regions that change consistently (Holm below 0.05); ` +
    'paler, without an outline: the others. Grey: no class; darker grey: a class without a number. Regions are those of most ' +
    "of the training heads at 4 mm, no subject's; the subject's right (R) is on the left, A is the front.";
  return html`<figure class="map"><img alt=${alt} src=${pngUrl(png)}/><figcaption>${caption}</figcaption></figure>`;
}

export const pngUrl = (png: Uint8Array): string => `data:image/png;base64,${base64(png)}`;

/** By file name, a method's maps below each other in the order of the sections. */
export function regionMapFiles(sections: readonly Section[], deflate: Deflate): Map<string, Uint8Array> {
  const byMethod = new Map<string, RegionMap[]>();
  for (const block of sections.flatMap(({ blocks }) => blocks))
    if (block.kind === 'region-map')
      byMethod.set(block.method, [...(byMethod.get(block.method) ?? []), block]);
  return new Map(
    [...byMethod].map(([method, maps]) => [
      `region-map-${method}.png`,
      encodePng(
        drawRegionMap(maps.map(({ arm, changes }) => ({ title: `${method}, ${arm}`, changes }))),
        deflate,
      ),
    ]),
  );
}
