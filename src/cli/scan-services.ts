/**
 * What a scan job gets of a session: networks, streams of stages, and outputs that the session knows of when it is interrupted.
 *
 * @example
 * await runScanJob(job, treatment, scanServices(session, session.networks(), session.timer));
 */
import type { NetworkRunner } from '../networks/runner.js';
import type { StageTimer } from '../node/progress.js';
import type { ScanServices } from '../node/scan-job.js';
import type { Session } from './session.js';

export function scanServices(session: Session, networks: NetworkRunner, timer: StageTimer): ScanServices {
  const { environment, signal, models } = session;
  return {
    networks,
    makeHead: environment.makeHead,
    extractBrain: environment.extractBrain,
    ...(environment.confirmBrain === undefined ? {} : { confirmBrain: environment.confirmBrain }),
    signal,
    models,
    onStage: (stage) => {
      signal.throwIfAborted();
      timer.begin(stage);
    },
    stages: () => timer.seconds,
    makeOutputs: (options) => session.outputs(options),
  };
}
