/**
 * The two kinds of typed error: a Refusal (the input cannot be treated; exit 1, nothing written)
 * and a Failure (a defect or an environment problem of ours; exit 3).
 *
 * `instanceof` goes by what an error is, not by which copy of this file made it: a package beside this one (the ruler) may have been
 * installed with a copy of its own.
 *
 * The exit code follows from class and tag, never from the message: `option-invalid` is wrong usage (exit 2).
 *
 * @example
 * throw new Refusal('mask-empty', 'the brain mask has no voxel set; expected 50 to 4000 ml');
 */

/** Why an input was refused. One line each, so that the list can be reviewed. */
export const REFUSALS = {
  'not-readable': 'the file cannot be opened or is not a file',
  'not-an-image': 'the bytes are not of a format that is read here',
  truncated: 'the file ends before the header says it should',
  corrupt: 'the compressed data are damaged',
  'header-invalid': 'a header field has an impossible value',
  'datatype-unsupported': 'the voxel type is not a real scalar',
  'too-large': 'the image is larger than what is supported',
  'geometry-invalid': 'the affine is not finite or not invertible',
  'not-3d': 'the image is not a volume (or a series of volumes)',
  'no-signal': 'the image is constant or holds no finite values',
  'values-invalid': 'the image has values that are not finite',
  'mask-mismatch': 'the brain mask is not on the grid of the image',
  'mask-empty': 'the brain mask is empty or fills the image',
  'mask-values': 'the values of the brain mask are not those of a mask',
  'brain-implausible': 'what was found is not a plausible brain',
  'brains-differ': 'the brains of two images are not those of one person',
  'state-invalid': 'the file that keeps a face cannot be used',
  'registration-implausible': 'the average head could not be laid on this head',
  'contrast-unsupported': 'the brain has no tissues that could be told apart',
  'acquisition-invalid': 'the file that says how a scan was made cannot be used',
  'profile-invalid': 'the profile of a protocol cannot be used',
  'face-kept': 'the face of the original still stands in the result',
  'output-exists': 'something stands at the output path',
  'output-unwritable': 'the output cannot be written there',
  'output-in-use': 'another run is writing to the output folder',
  'output-is-input': 'the output path is the input',
  'option-invalid': 'an option has a value that cannot be used with this input',
  'device-unavailable': 'the device that networks were to run on is not there',
  'package-missing': 'a package that the command needs is not installed',
  'model-unavailable': 'a model is not installed or is not the one expected',
  'verification-refused': 'a result does not pass the checks of `verify`',
  'out-of-memory': 'the process that treated it was ended by the system, also with nothing beside it',
  'some-refused': 'of several scans some were refused; each says why',
  'dataset-invalid': 'the dataset cannot be used as asked',
} as const;
export type RefusalTag = keyof typeof REFUSALS;

/** What went wrong on our side. */
export const FAILURES = {
  'verification-failed': 'the result did not pass its own checks',
  'network-failed': 'a network could not be run',
  'model-corrupt': 'a model file is not the one that its description names',
  'write-failed': 'writing the result failed',
  'some-failed': 'of several scans some failed; each says why',
  internal: 'an assumption of the program did not hold',
} as const;
export type FailureTag = keyof typeof FAILURES;

/** By name and kind, which every copy of this package gives its errors. */
function isOfKind(error: unknown, name: string, kind: string): boolean {
  return error instanceof Error && error.name === name && 'kind' in error && error.kind === kind;
}

/** The input cannot be treated. `message` is one sentence: what was expected and what was found. */
export class Refusal extends Error {
  readonly kind = 'refusal';
  static override [Symbol.hasInstance](error: unknown): error is Refusal {
    return isOfKind(error, 'Refusal', 'refusal');
  }
  constructor(
    readonly tag: RefusalTag,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Refusal';
  }
}

/** Ours: a defect, a full disk, a corrupt model. */
export class Failure extends Error {
  readonly kind = 'failure';
  static override [Symbol.hasInstance](error: unknown): error is Failure {
    return isOfKind(error, 'Failure', 'failure');
  }
  constructor(
    readonly tag: FailureTag,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Failure';
  }
}

/** True for a Refusal with one of the tags given (any, if none is given). */
export function isRefusal(error: unknown, ...tags: RefusalTag[]): error is Refusal {
  return error instanceof Refusal && (tags.length === 0 || tags.includes(error.tag));
}
