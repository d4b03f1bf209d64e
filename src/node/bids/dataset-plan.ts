/**
 * The plan of a whole data set, by the settings of its output: what is done with each image, and whose names may say who they are.
 *
 * @example
 * const { plans, warnings } = await planDataset(tree, settings, asked);
 */
import { readDataset } from '../../bids/dataset.js';
import type { FileTree } from '../../bids/file-tree.js';
import { parseFilter } from '../../bids/filter.js';
import { personalLabel } from '../../bids/personal.js';
import { type LeftOut, type PlanOptions, planSubject, type SubjectPlan } from '../../bids/plan.js';
import { Refusal } from '../../errors/errors.js';
import type { Settings } from './settings.js';

/** Which part of a data set is asked for. */
export interface Asked {
  /** Without `sub-`; all when absent. */
  readonly subjects?: readonly string[];
  /** Without `ses-`; all when absent. */
  readonly sessions?: readonly string[];
  /** What was asked for was looked at before: a subject need not have the sessions. */
  readonly checked?: boolean;
}

export interface DatasetPlan {
  readonly plans: readonly SubjectPlan[];
  /** Folders and files whose names are none of BIDS. */
  readonly left: readonly LeftOut[];
  /** About labels that look personal. They name no label: a log is read by others. */
  readonly warnings: readonly string[];
}

const label = (text: string, key: string): string => (text.startsWith(`${key}-`) ? text.slice(4) : text);

/** @throws {Refusal} dataset-invalid when nobody is there; option-invalid for a label that is nobody's */
export async function planDataset(
  tree: FileTree,
  settings: Settings,
  removes: boolean,
  asked: Asked = {},
): Promise<DatasetPlan> {
  const only =
    asked.subjects === undefined
      ? undefined
      : new Set(asked.subjects.map((text) => `sub-${label(text, 'sub')}`));
  const dataset = await readDataset(tree, '', only === undefined ? {} : { only });
  const missing = [...(only ?? [])].filter((id) => !dataset.subjects.some((subject) => subject.id === id));
  if (missing.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected subjects of the data set at --participant-label, found ${missing.length} that ${missing.length === 1 ? 'is' : 'are'} not there`,
    );
  if (dataset.subjects.length === 0)
    throw new Refusal('dataset-invalid', 'expected a BIDS data set with folders sub-LABEL, found none');
  const sessions = asked.sessions?.map((text) => label(text, 'ses'));
  if (
    asked.checked !== true &&
    sessions?.some((each) => !dataset.subjects.some((s) => s.sessions.includes(`ses-${each}`))) === true
  )
    throw new Refusal(
      'option-invalid',
      'expected sessions of the data set at --session-label, found one that nobody has',
    );
  const options: PlanOptions = {
    layout: settings.layout,
    removes,
    copy: new Set(settings.copy),
    ...(settings.filter === undefined ? {} : { filter: parseFilter(settings.filter) }),
    ...(sessions === undefined ? {} : { sessions: new Set(sessions) }),
  };
  const plans = dataset.subjects.map((subject) => planSubject(subject, options));
  const left = dataset.unknown.map((path) => ({
    path,
    why: 'its name is none of BIDS, or stands in the wrong place',
  }));
  const labels = dataset.subjects.flatMap(({ id, sessions: own }) => [
    label(id, 'sub'),
    ...own.map((session) => label(session, 'ses')),
  ]);
  const personal = new Map<string, number>();
  for (const each of labels) {
    const what = personalLabel(each);
    if (what !== undefined) personal.set(what, (personal.get(what) ?? 0) + 1);
  }
  const warnings = [...personal].map(
    ([what, n]) =>
      `${n} label${n === 1 ? '' : 's'} of subjects or sessions look${n === 1 ? 's' : ''} like ${what}, and stay${n === 1 ? 's' : ''} in the names of results: rename before you release`,
  );
  return { plans, left, warnings };
}
