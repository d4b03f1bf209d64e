/**
 * The classes of the segmentation network and the DLMUSE regions (NiChart) that each was grouped from.
 *
 * Written by `training/prosopon_training/regions.py`, whose names and numbers stand in `models/segmentation/model.json` too;
 * a test compares them.
 *
 * @example
 * const grey = SEGMENTATION_CLASSES.filter(({ group }) => group === 'grey').map(({ id }) => id);
 */

/** none: background. csf: around the brain. stem: counted with the total brain, neither grey nor white. */
export type SegmentationGroup = 'grey' | 'white' | 'ventricular-csf' | 'stem' | 'csf' | 'none';

export interface SegmentationClass {
  /** Value in the label map, 0 to 52. */
  readonly id: number;
  readonly name: string;
  readonly group: SegmentationGroup;
  /** DLMUSE indices. */
  readonly dlmuse: readonly number[];
}

const row = (id: number, name: string, group: SegmentationGroup, ...dlmuse: number[]): SegmentationClass => ({
  id,
  name,
  group,
  dlmuse,
});

// biome-ignore format: a table
export const SEGMENTATION_CLASSES: readonly SegmentationClass[] = [
  row(0, 'background', 'none'),
  row(1, 'csf', 'csf', 1, 46, 69),
  row(2, 'third-ventricle', 'ventricular-csf', 4),
  row(3, 'fourth-ventricle', 'ventricular-csf', 11),
  row(4, 'brain-stem', 'stem', 35),
  row(5, 'cerebellar-vermis', 'grey', 71, 72, 73),
  row(6, 'corpus-callosum', 'white', 95),
  row(7, 'right-lateral-ventricle', 'ventricular-csf', 51, 49),
  row(8, 'left-lateral-ventricle', 'ventricular-csf', 52, 50),
  row(9, 'right-accumbens', 'grey', 23),
  row(10, 'left-accumbens', 'grey', 30),
  row(11, 'right-amygdala', 'grey', 31),
  row(12, 'left-amygdala', 'grey', 32),
  row(13, 'right-caudate', 'grey', 36),
  row(14, 'left-caudate', 'grey', 37),
  row(15, 'right-hippocampus', 'grey', 47),
  row(16, 'left-hippocampus', 'grey', 48),
  row(17, 'right-pallidum', 'grey', 55),
  row(18, 'left-pallidum', 'grey', 56),
  row(19, 'right-putamen', 'grey', 57),
  row(20, 'left-putamen', 'grey', 58),
  row(21, 'right-thalamus', 'grey', 59),
  row(22, 'left-thalamus', 'grey', 60),
  row(23, 'right-basal-forebrain', 'grey', 76),
  row(24, 'left-basal-forebrain', 'grey', 75),
  row(25, 'right-ventral-diencephalon', 'white', 61),
  row(26, 'left-ventral-diencephalon', 'white', 62),
  row(27, 'right-cerebellar-cortex', 'grey', 38),
  row(28, 'left-cerebellar-cortex', 'grey', 39),
  row(29, 'right-cerebellar-white', 'white', 40),
  row(30, 'left-cerebellar-white', 'white', 41),
  row(31, 'right-frontal-white', 'white', 81),
  row(32, 'left-frontal-white', 'white', 82),
  row(33, 'right-occipital-white', 'white', 83),
  row(34, 'left-occipital-white', 'white', 84),
  row(35, 'right-parietal-white', 'white', 85),
  row(36, 'left-parietal-white', 'white', 86),
  row(37, 'right-temporal-white', 'white', 87),
  row(38, 'left-temporal-white', 'white', 88),
  row(39, 'right-deep-white', 'white', 89, 91, 93),
  row(40, 'left-deep-white', 'white', 90, 92, 94),
  row(41, 'right-frontal-grey', 'grey', 104, 112, 118, 120, 124, 136, 140, 142, 146, 150, 152, 162, 164, 174, 178, 182, 186, 190, 192, 204),
  row(42, 'left-frontal-grey', 'grey', 105, 113, 119, 121, 125, 137, 141, 143, 147, 151, 153, 163, 165, 175, 179, 183, 187, 191, 193, 205),
  row(43, 'right-parietal-grey', 'grey', 106, 148, 168, 176, 194, 198),
  row(44, 'left-parietal-grey', 'grey', 107, 149, 169, 177, 195, 199),
  row(45, 'right-temporal-grey', 'grey', 122, 132, 154, 180, 184, 200, 202, 206),
  row(46, 'left-temporal-grey', 'grey', 123, 133, 155, 181, 185, 201, 203, 207),
  row(47, 'right-occipital-grey', 'grey', 108, 114, 128, 134, 144, 156, 160, 196),
  row(48, 'left-occipital-grey', 'grey', 109, 115, 129, 135, 145, 157, 161, 197),
  row(49, 'right-limbic-grey', 'grey', 100, 116, 138, 166, 170),
  row(50, 'left-limbic-grey', 'grey', 101, 117, 139, 167, 171),
  row(51, 'right-insular-grey', 'grey', 102, 172),
  row(52, 'left-insular-grey', 'grey', 103, 173),
];

/** Tissue arms of the evaluation: the groups of each. Total brain is grey, white and brain stem. */
export const TISSUE_GROUPS = {
  grey: ['grey'],
  white: ['white'],
  'ventricular-csf': ['ventricular-csf'],
  'total-brain': ['grey', 'white', 'stem'],
} as const satisfies Record<string, readonly SegmentationGroup[]>;
export type TissueGroup = keyof typeof TISSUE_GROUPS;
