/**
 * Finds the ruler, the package `prosopon-ruler`, wherever a user may have put it: beside this package (a clone, a local or a global
 * install), beside the program as it was called (stores of links, such as pnpm's), or in the folder where the user works.
 *
 * @example
 * const { evaluate } = await loadRuler();
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { VERSION } from '../deidentify/version.js';
import { Refusal } from '../errors/errors.js';
import type { Ruler } from './ruler.js';

export const RULER_PACKAGE = 'prosopon-ruler';

export interface FoundRuler {
  /** The module to import. */
  readonly entry: string;
  /** Its networks. */
  readonly models: string;
}

/** Files from which the package is looked for, in this order. */
function usualPlaces(): string[] {
  const program = process.argv[1];
  return [
    import.meta.url,
    ...(program === undefined ? [] : [path.resolve(program)]),
    path.join(process.cwd(), 'package.json'),
  ];
}

/** @param places files, as paths or URLs; for tests. @returns undefined where it is not installed, or not compiled */
export function findRuler(places: readonly string[] = usualPlaces()): FoundRuler | undefined {
  for (const place of places) {
    const require = createRequire(place);
    try {
      const manifest = require.resolve(`${RULER_PACKAGE}/package.json`);
      return { entry: require.resolve(RULER_PACKAGE), models: path.join(path.dirname(manifest), 'models') };
    } catch (error) {
      if (!hasCode(error, 'MODULE_NOT_FOUND')) throw error;
    }
  }
  return undefined;
}

/** @throws {Refusal} package-missing, with what has to be installed */
export async function loadRuler(places?: readonly string[]): Promise<Ruler> {
  const found = findRuler(places);
  if (found === undefined)
    throw new Refusal('package-missing', `expected the package ${RULER_PACKAGE}, found none; ${REMEDY}`);
  let module: { readonly ruler?: Ruler };
  try {
    module = (await import(pathToFileURL(found.entry).href)) as typeof module;
  } catch (cause) {
    // It stands alone: installed without what it measures.
    if (!hasCode(cause, 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw new Refusal(
      'package-missing',
      `expected ${RULER_PACKAGE} with all that it imports, found it incomplete; ${REMEDY}`,
      { cause },
    );
  }
  const { ruler } = module;
  if (ruler?.version !== VERSION)
    throw new Refusal(
      'package-missing',
      `expected ${RULER_PACKAGE} ${VERSION}, as prosopon is, found ${ruler?.version ?? 'another package'}; ${REMEDY}`,
    );
  return ruler;
}

const REMEDY = `install it with: npm install ${RULER_PACKAGE}@${VERSION} (with --global where prosopon is installed so)`;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
