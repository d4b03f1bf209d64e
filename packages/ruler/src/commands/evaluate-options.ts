/**
 * What `prosopon evaluate` was asked for, from what was typed.
 *
 * @example
 * await evaluate(evaluateOptions(request, host), environment);
 */
import { Refusal } from 'prosopon';
import { cpMaeMean } from 'prosopon/imaging';
import type { EvaluateRequest, RulerHost } from 'prosopon/node';
import { rulerModels } from '../run/models.js';
import { type EvaluateOptions, parseSections } from '../run/plan.js';
import { parseCommand } from '../run/segmenter-command.js';

/** @throws {Refusal} option-invalid */
export function evaluateOptions(given: EvaluateRequest, { methods, models }: RulerHost): EvaluateOptions {
  const sections = parseSections(given.sections);
  const maskErrorMm = given.maskErrorMm.map((text) => {
    const mm = Number(text);
    if (!(mm > 0 && mm <= 10))
      throw new Refusal('option-invalid', `expected mask errors of 0 to 10 mm, found ${text}`);
    return mm;
  });
  const adaptive = new Map(given.sqn.map(({ input, output }) => [input, output]));
  for (const name of adaptive.keys())
    if (!given.methods.includes(name))
      throw new Refusal('option-invalid', 'expected --sqn to name one of the --methods, found another');
  const pick = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
  return {
    dataset: given.dataset,
    out: given.out,
    methods: given.methods.map((name) => methods.get(name)),
    // What CP-MAE's network holds most likely of a subject, drawn without chance: the attacker's best guess.
    warnings: given.methods.includes('cp-mae') ? [cpMaeMean] : [],
    ...pick('splits', given.split),
    ...pick('subjects', given.subjects),
    resolution: given.resolution === '128' ? 128 : 256,
    ...pick('sections', sections),
    seed: given.seed,
    seedsPerHead: given.seedsPerHead,
    averagingHeads: given.averagingHeads,
    maskErrorHeads: given.maskErrorHeads,
    maskErrorMm,
    trainHeads: given.trainHeads,
    adaptive,
    ...pick('segmenter', given.segmenter === undefined ? undefined : parseCommand(given.segmenter)),
    ...pick('segmenterLabels', given.segmenterLabels),
    ...pick('faceApi', given.faceApi),
    models: [models, rulerModels()],
    renderings: given.renderings === true,
    ...pick('keepTreated', given.keepTreated),
    showHeads: (given.showHeads ?? []).map((id) => (id.startsWith('sub-') ? id : `sub-${id}`)),
    jobs: given.jobs,
    force: given.force === true,
    forget: given.forget === true,
    command: commandText(given),
  };
}

/** What matters for the numbers, without paths. */
function commandText(given: EvaluateRequest): string {
  const parts = ['prosopon evaluate BIDS_DIR OUT_DIR', `--methods ${given.methods.join(',')}`];
  if (given.split !== undefined) parts.push(`--split ${given.split.join(',')}`);
  if (given.subjects !== undefined) parts.push(`--subjects (${given.subjects.length} named)`);
  parts.push(`--resolution ${given.resolution}`, `--sections ${given.sections}`, `--seed ${given.seed}`);
  if (given.seedsPerHead > 1)
    parts.push(`--seeds-per-head ${given.seedsPerHead}`, `--averaging-heads ${given.averagingHeads}`);
  if (given.maskErrorHeads > 0)
    parts.push(
      `--mask-error-heads ${given.maskErrorHeads}`,
      `--mask-error-mm ${given.maskErrorMm.join(',')}`,
    );
  if (given.trainHeads > 0) parts.push(`--train-heads ${given.trainHeads}`);
  for (const { input } of given.sqn) parts.push(`--sqn ${input}=FOLDER`);
  if (given.segmenter !== undefined) parts.push('--segmenter COMMAND');
  return parts.join(' ');
}
