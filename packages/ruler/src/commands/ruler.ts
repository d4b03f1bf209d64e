/**
 * What the product's commands `evaluate` and `study` call. Each loads only what it needs.
 *
 * @example
 * const { lines } = await createRuler().evaluate(request, host);
 */
import { type Ruler, type RulerHost, serveTasks } from 'prosopon/node';
import type { Instruments } from '../run/instruments.js';
import { rulerModels } from '../run/models.js';
import { RULER_VERSION } from '../run/version.js';
import type { EvaluateEnvironment } from './evaluate.js';

/** @param instruments for tests; otherwise those that there are */
export function createRuler(instruments?: Instruments): Ruler {
  const environmentOf = (host: RulerHost): EvaluateEnvironment => ({
    ...host,
    makeNetworks: (threads) => host.networks(threads, [rulerModels()]),
    ...(instruments === undefined ? {} : { instruments }),
  });
  return {
    version: RULER_VERSION,
    async evaluate(request, host) {
      const [{ evaluate }, { evaluateOptions }] = await evaluation();
      const { files, subjects, absent } = await evaluate(evaluateOptions(request, host), environmentOf(host));
      return {
        outputs: files,
        checks: Object.fromEntries(
          absent.map(({ id, reason }) => [id, { passed: true, value: `not measured: ${reason}` }]),
        ),
        lines: [`done: ${subjects} subjects; ${absent.length} blocks not measured or not published`],
      };
    },
    async evaluatePieces(request, host) {
      const [{ evaluatePieces }, { evaluateOptions }] = await evaluation();
      return evaluatePieces(evaluateOptions(request, host), environmentOf(host), serveTasks);
    },
    buildStudy: async (request, host) => (await import('./study.js')).buildStudyPages(request, host),
    scoreStudy: async (request, host) => (await import('./study.js')).scoreAnswers(request, host),
  };
}

const evaluation = () => Promise.all([import('./evaluate.js'), import('./evaluate-options.js')]);
