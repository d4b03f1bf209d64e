/**
 * What is remembered of one image of a data set: whether it was begun, how it ended, and what the group level shows of it. It
 * holds nothing of an original: figures, our own words, and pictures of the result.
 *
 * @example
 * const record = parseRecord(JSON.parse(text)); // undefined for what is none
 */
import * as v from 'valibot';

const CheckSchema = v.object({ passed: v.boolean(), value: v.union([v.number(), v.string()]) });

/** Figures of a result by which a list is sorted, worst first. Absent where they could not be taken (no face in view, a method that removes). */
const FiguresSchema = v.object({
  /** Median distance between the skin of the original's face and that of the result, mm. */
  surfaceMovedMm: v.optional(v.number()),
  /** Share of the original's face that still stands, 0 to 1 (check `faceGone`). */
  faceKept: v.optional(v.number()),
  /** Step of brightness where kept and new voxels meet, in brain levels. */
  seam: v.optional(v.number()),
  /** Dice of the two looks for the brain, 0 to 1. */
  maskAgreement: v.optional(v.number()),
  brainMl: v.optional(v.number()),
  seconds: v.optional(v.number()),
});

export const ScanRecordSchema = v.object({
  /** From the root of the input data set: `sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz`. */
  path: v.string(),
  /** Digest of the input's bytes and of all that the result depends on; another one is done anew. */
  key: v.string(),
  /** `begun`: nothing is known of its end, as after a kill. */
  status: v.picklist(['begun', 'done', 'refused', 'failed']),
  /** From the root of the output data set, of a result. */
  output: v.optional(v.string()),
  /** Tag of the refusal or failure (`brain-implausible`), and its sentence. */
  reason: v.optional(v.string()),
  message: v.optional(v.string()),
  /** `anchor`: the person's head was drawn for it; `same head`: it got that head; `alone`: a method that removes; `copied`: on the user's word, header cleaned. */
  role: v.optional(v.picklist(['anchor', 'same head', 'alone', 'copied'])),
  warnings: v.optional(v.array(v.string())),
  checks: v.optional(v.record(v.string(), CheckSchema)),
  figures: v.optional(FiguresSchema),
  /** PNG in base64, of the result alone: front, left (side), slice (sagittal, through the middle). */
  pictures: v.optional(v.record(v.string(), v.string())),
});

export type ScanRecord = v.InferOutput<typeof ScanRecordSchema>;
export type ScanFigures = v.InferOutput<typeof FiguresSchema>;

export function parseRecord(json: unknown): ScanRecord | undefined {
  const parsed = v.safeParse(ScanRecordSchema, json);
  return parsed.success ? parsed.output : undefined;
}
