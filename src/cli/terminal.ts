/**
 * What the command says, made safe for where it is read: folder names and option values are others' words, and a terminal
 * obeys control characters; a stream that has gone away must not change how the work is said to have ended.
 *
 * @example
 * stderr.write(`refused ${printable(folder)}\n`);
 */

/** C0 and C1 controls, line and paragraph separators, and what turns the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** On one line, without anything that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** The same for text of several lines that is ours. */
export function printableLines(text: string): string {
  return text.replace(CONTROLS, (c) => (c === '\n' || c === '\t' ? c : escaped(c)));
}

function escaped(c: string): string {
  const code = c.codePointAt(0) ?? 0;
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** JSON on one line; it may be shown on a terminal as it is. */
export function jsonLine(value: unknown): string {
  // JSON escapes the controls that it must; the others are legal in it as they are.
  return `${printable(JSON.stringify(value))}\n`;
}

/**
 * A reader that is gone, a full device: the exit code goes on to say how the work ended. Of a report that is lost, a sentence on
 * stderr; of a reader that left, as `head` does, nothing.
 */
export function surviveBrokenStreams(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): void {
  stderr.on('error', () => undefined);
  let said = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (said || error.code === 'EPIPE') return;
    said = true;
    stderr.write(
      `prosopon: warning: stdout could not be written to (${error.code ?? 'unknown error'}); the exit code says how the work ended\n`,
    );
  });
}

/**
 * `nohup` says that a run is to outlive its terminal, but Node takes up the signal again when it starts, so that it cannot be
 * asked. Whoever uses it has no stream that is a terminal; then a hang-up ends nothing.
 */
export function hasTerminal({ stdin, stdout, stderr }: typeof process): boolean {
  return [stdin, stdout, stderr].some((stream) => stream.isTTY === true);
}
