/**
 * The model catalogue: what `models/NAME/model.json` says about a network, as a type and a checked schema.
 *
 * The sizes that the program needs to feed a network stand in this file and not in code, so that a retrained network can be
 * dropped in by replacing its folder (src/methods/cp-mae/sites.test.ts does it); what all networks share is in src/contract.
 *
 * @example
 * const description = parseModelDescription(JSON.parse(text), 'brain-extraction');
 * const edge = description.grid.size; // voxels along an edge of the model grid
 */
import * as v from 'valibot';
import { Failure } from '../errors/errors.js';

const Line = v.pipe(v.string(), v.minLength(1));

const TensorDescription = v.object({
  name: Line,
  /** Positive sizes; a string names an axis of free length. */
  shape: v.array(v.union([v.pipe(v.number(), v.integer(), v.minValue(1)), Line])),
  type: v.picklist(['float32', 'int32', 'int64', 'uint8', 'bool']),
});

const ModelDescriptionSchema = v.object({
  /** Also the name of the folder: lower case, digits, hyphens. */
  name: v.pipe(v.string(), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)),
  version: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/)),
  description: Line,
  /** Of the bytes of model.onnx; checked each time a session is made. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  inputs: v.pipe(v.array(TensorDescription), v.minLength(1)),
  outputs: v.pipe(v.array(TensorDescription), v.minLength(1)),
  /** The cube the network works on: voxels along an edge, and their size in mm. */
  grid: v.object({
    size: v.pipe(v.number(), v.integer(), v.minValue(1)),
    spacing: v.pipe(v.number(), v.gtValue(0)),
  }),
  /** In words: how intensities are made before they are fed. */
  normalisation: Line,
  licence: Line,
  /** In words: the scans it was trained on and their terms. */
  data: Line,
  /** Whatever the code that uses the network wants to know: codebook sizes, thresholds, steps. */
  settings: v.optional(v.record(v.string(), v.unknown()), {}),
});

export type ModelDescription = v.InferOutput<typeof ModelDescriptionSchema>;

/** True for a name that can be a model's, and so a folder's: no separators, no dots. */
export function isModelName(name: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
}

/**
 * @param json The parsed content of model.json.
 * @param name The folder it stands in, which must be the name it gives.
 * @throws {Failure} model-corrupt that names the field which is wrong.
 */
export function parseModelDescription(json: unknown, name: string): ModelDescription {
  const result = v.safeParse(ModelDescriptionSchema, json);
  if (!result.success) {
    const issue = result.issues[0];
    throw new Failure(
      'model-corrupt',
      `models/${name}/model.json is not a model description: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`,
    );
  }
  if (result.output.name !== name) {
    throw new Failure(
      'model-corrupt',
      `models/${name}/model.json describes ${result.output.name}; expected ${name}`,
    );
  }
  return result.output;
}
