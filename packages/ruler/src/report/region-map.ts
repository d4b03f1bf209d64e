/**
 * A picture of which regions change: slices of the region atlas, each region in the colour of its mean change. White is
 * no change, blue less, red more, the ends of the scale at 5 %; a region that changes consistently has its full colour and
 * a dark outline, any other a paler colour and none; grey is what has no class or no number.
 *
 * @example
 * const png = encodePng(drawRegionMap([{ changes: [{ id: 41, change: -0.02, consistent: true }] }]), nodeDeflate);
 */
import {
  blank,
  drawText,
  montage,
  type PixelImage,
  type Plane,
  type Rgb,
  TEXT_HEIGHT,
  textWidth,
} from 'prosopon/imaging';
import { atlasIndex, type RegionAtlas, regionAtlas } from '../utility/region-atlas.js';
import type { RegionChange } from './results.js';

/** One set of slices; a title is drawn above it. */
export interface RegionPanel {
  readonly title?: string;
  readonly changes: readonly RegionChange[];
}

export interface RegionSlice {
  readonly plane: Plane;
  /** Place of the slice along the plane's axis, mm of the brain frame. */
  readonly mm: number;
}

/** Chosen so that each of the 52 classes is on one of them at least. */
export const REGION_SLICES: readonly RegionSlice[] = [
  { plane: 'axial', mm: -28 },
  { plane: 'axial', mm: -8 },
  { plane: 'axial', mm: 24 },
  { plane: 'sagittal', mm: -22 },
  { plane: 'coronal', mm: -48 },
  { plane: 'coronal', mm: 0 },
  { plane: 'coronal', mm: 28 },
  { plane: 'sagittal', mm: 2 },
];
const COLUMNS = 4;

/** The colours' ends: most regions of a treated head change by 0 to 3 %. */
export const FULL_CHANGE = 0.05;
export const VOXEL_PX = 6;
const LESS: Rgb = [33, 102, 172];
const MORE: Rgb = [178, 24, 43];
/** Of the full colour, where the direction of the change is not consistent. */
const PALE = 0.4;
const OUTLINE: Rgb = [20, 20, 20];
const NO_CLASS: Rgb = [214, 214, 214];
/** A class that was not measured. */
const NO_NUMBER: Rgb = [170, 170, 170];
const PAPER: Rgb = [255, 255, 255];
const INK: Rgb = [40, 40, 40];
const MARGIN = 18;
const TEXT = 2;

/** @param change As a share: 0.01 is 1 %. Not a number: grey. */
export function regionColour(change: number, consistent: boolean): Rgb {
  if (Number.isNaN(change)) return NO_NUMBER;
  const part = Math.min(1, Math.abs(change) / FULL_CHANGE) * (consistent ? 1 : PALE);
  const end = change < 0 ? LESS : MORE;
  const mixed = (c: 0 | 1 | 2): number => Math.round(255 + (end[c] - 255) * part);
  return [mixed(0), mixed(1), mixed(2)];
}

/** Classes on a slice, rows from the top: as a radiologist hangs it, the subject's right on the left, the front up or on the left. */
export function sliceClasses(
  { shape: [nx, ny, nz], data }: RegionAtlas,
  { plane, mm }: RegionSlice,
): { readonly width: number; readonly height: number; readonly ids: Uint8Array } {
  const [width, height] = plane === 'axial' ? [nx, ny] : plane === 'coronal' ? [nx, nz] : [ny, nz];
  const fixed = atlasIndex(plane === 'axial' ? 2 : plane === 'coronal' ? 1 : 0, mm);
  const ids = new Uint8Array(width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [across, up] = [width - 1 - column, height - 1 - row];
      const [x, y, z] =
        plane === 'axial'
          ? [across, up, fixed]
          : plane === 'coronal'
            ? [across, fixed, up]
            : [fixed, across, up];
      ids[column + width * row] = data[x + nx * (y + ny * z)] as number;
    }
  return { width, height, ids };
}

/** One slice without margin or letters, `VOXEL_PX` pixels a voxel. */
export function drawRegionSlice(
  slice: RegionSlice,
  changes: readonly RegionChange[],
  atlas: RegionAtlas = regionAtlas(),
): PixelImage {
  const { width, height, ids } = sliceClasses(atlas, slice);
  const byId = new Map(changes.map((change) => [change.id, change]));
  const image = blank(width * VOXEL_PX, height * VOXEL_PX, NO_CLASS);
  const idAt = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= width || row >= height ? 0 : (ids[column + width * row] as number);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const id = idAt(column, row);
      if (id === 0) continue;
      const region = byId.get(id);
      const consistent = region?.consistent === true;
      const [left, top] = [column * VOXEL_PX, row * VOXEL_PX];
      fill(image, left, top, VOXEL_PX, VOXEL_PX, regionColour(region?.change ?? Number.NaN, consistent));
      if (!consistent) continue;
      // A line on each side, and a point at each corner, that another class touches.
      for (const dy of [-1, 0, 1])
        for (const dx of [-1, 0, 1]) {
          if (idAt(column + dx, row + dy) === id) continue;
          const far = VOXEL_PX - 1;
          fill(
            image,
            left + (dx === 1 ? far : 0),
            top + (dy === 1 ? far : 0),
            dx === 0 ? VOXEL_PX : 1,
            dy === 0 ? VOXEL_PX : 1,
            OUTLINE,
          );
        }
    }
  return image;
}

function fill(
  image: PixelImage,
  left: number,
  top: number,
  width: number,
  height: number,
  [r, g, b]: Rgb,
): void {
  for (let y = top; y < top + height; y++)
    for (let i = 3 * (left + image.width * y), end = i + 3 * width; i < end; i += 3) {
      image.data[i] = r;
      image.data[i + 1] = g;
      image.data[i + 2] = b;
    }
}

/** The whole picture: per panel three axial, three coronal and two sagittal slices, then the scale of colours. */
export function drawRegionMap(panels: readonly RegionPanel[]): PixelImage {
  const sheets = panels.flatMap(({ title, changes }) => {
    const tiles = REGION_SLICES.map((slice) => withLetters(drawRegionSlice(slice, changes), slice.plane));
    const sheet = montage(tiles, { columns: COLUMNS, paddingPx: 4, background: PAPER });
    return title === undefined ? [sheet] : [label(title, sheet.width), sheet];
  });
  return below([...sheets, legend(Math.max(...sheets.map(({ width }) => width)))]);
}

/** On grey, with the side of the subject at the left and right edge. */
function withLetters(image: PixelImage, plane: Plane): PixelImage {
  const out = blank(image.width + 2 * MARGIN, image.height + 8, NO_CLASS);
  paste(out, image, MARGIN, 4);
  const y = Math.floor((out.height - TEXT_HEIGHT * TEXT) / 2);
  const [left, right] = plane === 'sagittal' ? ['A', 'P'] : ['R', 'L'];
  drawText(out, left, 4, y, { colour: INK, scale: TEXT });
  drawText(out, right, out.width - 4 - textWidth(right) * TEXT, y, { colour: INK, scale: TEXT });
  return out;
}

function label(text: string, width: number): PixelImage {
  const out = blank(width, TEXT_HEIGHT * TEXT + 14, PAPER);
  drawText(out, text, 4, 10, { colour: INK, scale: TEXT });
  return out;
}

const BAR = { width: 241, height: 18 };

/** Two bars from -5 % to +5 %: as consistent regions and as the others are painted. */
function legend(width: number): PixelImage {
  const out = blank(width, 66, PAPER);
  [true, false].forEach((consistent, n) => {
    const left = 14 + n * Math.floor(width / 2);
    if (consistent) fill(out, left - 1, 23, BAR.width + 2, BAR.height + 2, OUTLINE);
    for (let x = 0; x < BAR.width; x++) {
      const change = FULL_CHANGE * ((2 * x) / (BAR.width - 1) - 1);
      fill(out, left + x, 24, 1, BAR.height, regionColour(change, consistent));
    }
    drawText(out, consistent ? 'CONSISTENT' : 'NOT CONSISTENT', left, 6, { colour: INK, scale: TEXT });
    const end = `${FULL_CHANGE * 100} %`;
    for (const [text, share] of [
      [`-${end}`, 0],
      ['0', 0.5],
      [`+${end}`, 1],
    ] as const) {
      const at = left + share * (BAR.width - textWidth(text) * TEXT);
      drawText(out, text, Math.round(at), 48, { colour: INK, scale: TEXT });
    }
  });
  return out;
}

function paste(to: PixelImage, image: PixelImage, left: number, top: number): void {
  for (let y = 0; y < image.height; y++)
    to.data.set(
      image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width),
      3 * (left + (top + y) * to.width),
    );
}

function below(images: readonly PixelImage[]): PixelImage {
  const width = Math.max(...images.map((image) => image.width));
  const out = blank(
    width,
    images.reduce((sum, { height }) => sum + height, 0),
    PAPER,
  );
  let top = 0;
  for (const image of images) {
    paste(out, image, 0, top);
    top += image.height;
  }
  return out;
}
