/**
 * The classes of the segmentation network, as program and training agree on them (`src/contract/contract.json` of Prosopon),
 * and the tissues that they make up.
 *
 * @example
 * const grey = SEGMENTATION_CLASSES.filter(({ group }) => group === 'grey').map(({ id }) => id);
 */
export { type ContractClass as SegmentationClass, SEGMENTATION_CLASSES } from 'prosopon/imaging';

/** Tissue arms of the evaluation: the groups of each. Total brain is grey, white and brain stem. */
export const TISSUE_GROUPS = {
  grey: ['grey'],
  white: ['white'],
  'ventricular-csf': ['ventricular-csf'],
  'total-brain': ['grey', 'white', 'stem'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type TissueGroup = keyof typeof TISSUE_GROUPS;
