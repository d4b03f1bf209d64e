/**
 * What to try when a scan was refused or failed, by the tag of the reason: our words, for whoever looks after a data set. A tag
 * without advice does not compile.
 *
 * @example
 * const { meaning, advice } = adviceFor('brain-implausible');
 */
import { FAILURES, type FailureTag, REFUSALS, type RefusalTag } from '../errors/errors.js';

const ADVICE: Readonly<Record<RefusalTag | FailureTag, string>> = {
  'not-readable':
    'Look whether the file is there and may be read; in a DataLad data set its content may not have been fetched (`datalad get`).',
  'not-an-image':
    'Open the file in a viewer. A text of a few lines with a .nii.gz name is often a pointer whose content was never fetched.',
  truncated: 'The file was copied in part: copy it again from its source, and compare checksums.',
  corrupt: 'The file is damaged: copy it again from its source, or convert it again from DICOM.',
  'header-invalid':
    'Convert the scan again from DICOM with a current converter (dcm2niix), then run the command again.',
  'datatype-unsupported':
    'Give the magnitude image: complex and colour images are not treated. Of a complex series save magnitude as float.',
  'too-large': 'Crop the image or bring it to a coarser grid; a head at 0.5 mm is within the limits.',
  'geometry-invalid':
    'The header does not say where the head lies: convert the scan again from DICOM; do not set an affine by guess.',
  'not-3d':
    'A scout or a single slice is no head. If no face is in view, leave the file out of the data set.',
  'no-signal':
    'Open the image: if it is empty or constant, the scan or its conversion went wrong. Leave it out.',
  'values-invalid':
    'Set values that are not finite to 0 with the tool that made them, or convert the scan again from DICOM.',
  'mask-mismatch':
    'Give a mask on the very grid of the image (same shape and affine), or none: the brain is then found here.',
  'mask-empty': 'Look at the mask: it has no voxel, or all of them. Make it again, or give none.',
  'mask-values':
    'Give a mask of 0 and 1 (or a label image named as one); probabilities need a threshold first.',
  'brain-implausible':
    'Look at the image. If it is a head, make a brain mask with another tool, check it, and give it; if it is none (a phantom, a slab, a limb), leave it out.',
  'brains-differ':
    'Look at both images: are they of one person, and does the header say rightly where each lies? If so, treat the second alone or give a mask for it.',
  'state-invalid': 'Delete the file that keeps the face and treat the person again from the first image.',
  'registration-implausible':
    'This method lays an average T1-weighted head on the scan: use another method for this scan, such as cp-mae.',
  'contrast-unsupported':
    "Treat the session's T1-weighted image too, so that this one gets its head; or remove the face: quickshear, face-mask and watershed take any contrast.",
  'acquisition-invalid': "Correct the scan's sidecar (.json), or give the acquisition in a file of its own.",
  'profile-invalid':
    'Measure the profile again (`prosopon profile`) with this version, over at least 5 heads.',
  'face-kept':
    'Look at the brain mask: it often reaches into the face. Correct it and give it with less margin, or use another method. Nothing of this scan was written.',
  'output-exists':
    'Choose another output folder, or allow that what stands there is written over (`--force`).',
  'output-unwritable':
    'Look at the rights and the free space of the output folder, then run the command again.',
  'output-in-use':
    'Wait until the other run has ended, then run the command again: it goes on where that one stopped.',
  'output-is-input': 'Choose an output folder outside the input data set.',
  'option-invalid': 'Correct the option that the message names, then run the command again.',
  'device-unavailable': 'Run the command again with `--device cpu`.',
  'package-missing': 'Install the package that the message names, then run the command again.',
  'model-unavailable':
    'Run `prosopon models verify`; if a model is missing or another one, install the package again.',
  'verification-refused':
    'Do not pass the result on. Treat the original again, and look at the checks that the message names.',
  'out-of-memory':
    'Run it alone (one job) on a machine with more memory, or bring a very large image to a coarser grid first.',
  'some-refused': 'Look at each image of this scan: every one of them says why.',
  'dataset-invalid':
    'Run the BIDS validator on the data set and mend what it finds, then run the command again.',
  'verification-failed':
    'A defect of ours, and nothing was written. Run it again; if it fails again, report it with the message, without the scan.',
  'network-failed':
    'Run it again with fewer jobs at once (memory is the usual cause) or `--device cpu`; if it fails again, report the message.',
  'model-corrupt': 'Install the package again, and run `prosopon models verify`.',
  'write-failed':
    'Look at the free space of the output and of the temporary folder, then run the command again.',
  'some-failed': 'Look at each image of this scan: every one of them says why.',
  internal:
    'A defect of ours: report it with the message, without the scan. Nothing of this scan was written.',
};

const MEANINGS: Readonly<Record<string, string>> = { ...REFUSALS, ...FAILURES };
const ADVICE_BY_NAME: Readonly<Record<string, string>> = ADVICE;

export interface Advice {
  /** What the reason says, in a line. */
  readonly meaning: string;
  readonly advice: string;
}

/** For an end that is not known: a kill, a power cut. */
export const UNFINISHED: Advice = {
  meaning: 'a run ended while this scan was treated; nothing of it was written',
  advice: 'Run the same command again: it goes on with what is not done.',
};

/** Advice on a reason as a record has it; a newer version may have written one that is not known here. */
export function adviceFor(reason: string): Advice {
  return {
    meaning: Object.hasOwn(MEANINGS, reason)
      ? (MEANINGS[reason] ?? '')
      : 'a reason that this version does not know',
    advice: Object.hasOwn(ADVICE_BY_NAME, reason)
      ? (ADVICE_BY_NAME[reason] ?? '')
      : 'Read the message of the scan, or look at the data set with the version that treated it.',
  };
}
