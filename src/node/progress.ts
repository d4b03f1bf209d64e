/**
 * Stage times for the report, and one line of progress on a terminal.
 *
 * @example
 * const stages = new StageTimer(progressLine(process.stderr, options.quiet));
 * stages.begin('read'); stages.begin('brain'); stages.end(); // { read: 0.2, brain: 1.4 }
 */
export interface LineSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows the stage in place on a terminal; does nothing elsewhere, so that logs stay clean. */
export function progressLine(stream: LineSink, quiet: boolean): (stage: string | undefined) => void {
  if (quiet || stream.isTTY !== true) return () => undefined;
  return (stage) => {
    stream.write(stage === undefined ? '\r\u001b[K' : `\r\u001b[K${stage} ...`);
  };
}

/** Seconds of each stage. */
export class StageTimer {
  readonly #seconds = new Map<string, number>();
  readonly #show: (stage: string | undefined) => void;
  readonly #now: () => number;
  #current: { name: string; since: number } | undefined;

  constructor(
    show: (stage: string | undefined) => void = () => undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#show = show;
    this.#now = now;
  }

  /** Ends the running stage and begins another; a name used twice adds up. */
  begin(name: string): void {
    this.#stop();
    this.#current = { name, since: this.#now() };
    this.#show(name);
  }

  /** Ends the running stage and clears the line. */
  end(): void {
    this.#stop();
    this.#show(undefined);
  }

  /** Seconds by stage, in order of first use, rounded to a millisecond. */
  get seconds(): Record<string, number> {
    return Object.fromEntries([...this.#seconds].map(([name, s]) => [name, Math.round(s * 1000) / 1000]));
  }

  #stop(): void {
    if (this.#current === undefined) return;
    const { name, since } = this.#current;
    this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + (this.#now() - since) / 1000);
    this.#current = undefined;
  }
}

/** Highest resident memory of this process so far, in MiB; child processes are not in it. */
export function peakMemoryMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
