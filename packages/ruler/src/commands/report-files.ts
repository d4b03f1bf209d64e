/**
 * The files of a report: put in place together, and never in the place of somebody else's or of another evaluation's without
 * being told to.
 *
 * @example
 * requireOwnReport(out, command, force);            // before hours of work
 * await writeReport(out, { 'report.html': html });
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from 'prosopon';
import { Outputs } from 'prosopon/node';
import * as v from 'valibot';

const ReportSchema = v.object({ format: v.literal('prosopon evaluation 1'), command: v.string() });
const NAMES = ['results.json', 'results.tsv', 'report.html'] as const;

/** @throws {Refusal} output-exists */
export function requireOwnReport(out: string, command: string, force: boolean): void {
  if (force || !NAMES.some((name) => existsSync(join(out, name)))) return;
  const found = commandOf(join(out, 'results.json'));
  if (found === command) return;
  throw new Refusal(
    'output-exists',
    found === undefined
      ? 'expected an output folder without files of the names of a report, found some; expected another folder, or --force to replace them'
      : `expected an output folder without the report of another evaluation, found that of: ${found}; expected another folder, or --force to replace the report (what was measured is used again)`,
  );
}

function commandOf(path: string): string | undefined {
  try {
    const parsed = v.safeParse(ReportSchema, JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.output.command : undefined;
  } catch {
    return undefined;
  }
}

export interface ReportFile {
  readonly content: string | Uint8Array;
  /** It shows an original. */
  readonly identifies?: boolean;
}

/** @returns their paths  @throws {Failure} write-failed  @throws {Refusal} output-unwritable, output-exists */
export async function writeReport(
  out: string,
  files: Readonly<Record<string, ReportFile>>,
): Promise<readonly string[]> {
  const outputs = new Outputs({ force: true, inputs: [] });
  try {
    for (const [name, { content, identifies = false }] of Object.entries(files)) {
      const path = join(out, ...name.split('/'));
      await mkdir(join(path, '..'), { recursive: true });
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      await outputs.stage(path, bytes, { identifies });
    }
    await outputs.commit();
    return outputs.committed;
  } finally {
    outputs.wipe();
  }
}
