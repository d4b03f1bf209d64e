/**
 * The renderings of a human study, from a folder or a plan.
 *
 * A folder (`renderings/` within it is found, so that what `prosopon evaluate` wrote can be given as it is):
 *
 *     renderings/original/SUBJECT.png    the queries: untreated, from another view than the rest
 *     renderings/METHOD/SUBJECT.png      one folder for each method; its name is the method's
 *
 * A plan (a file that ends in .json) names the pictures one by one; paths are relative to the plan:
 *
 *     { "queries": { "SUBJECT": "a.png" }, "methods": { "METHOD": { "SUBJECT": "b.png" } } }
 *
 * @example
 * const renderings = await readRenderings('evaluation', { signal });
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Refusal } from 'prosopon';
import { codeOf, QUERIES } from 'prosopon/node';
import * as v from 'valibot';
import type { Pictures, Renderings } from '../study/build.js';

/** A rendering of 256 px has about 40 kB; beyond this it is another kind of picture, and a page would not open. */
const MOST_BYTES = 4 << 20;
/** Stands in the key and in tables. */
const METHOD_NAME = /^[a-z0-9][a-z0-9._-]{0,60}$/i;

const Paths = v.record(v.pipe(v.string(), v.minLength(1)), v.pipe(v.string(), v.minLength(1)));
const PlanSchema = v.object({ queries: Paths, methods: v.record(v.string(), Paths) });

export interface ReadRenderingsOptions {
  /** Only these, in any order; default all. */
  readonly methods?: readonly string[];
  readonly signal?: AbortSignal;
}

/** @throws {Refusal} not-readable, dataset-invalid */
export async function readRenderings(from: string, options: ReadRenderingsOptions = {}): Promise<Renderings> {
  const what = await stat(from).catch((cause: unknown) => {
    throw notReadable('the renderings', cause);
  });
  const { queries, methods } = what.isDirectory() ? await fromFolder(from) : await fromPlan(from);
  for (const name of Object.keys(methods))
    if (!METHOD_NAME.test(name))
      throw new Refusal(
        'dataset-invalid',
        'expected names of methods of letters, digits, hyphens, dots and underscores, found another',
      );
  const wanted = options.methods ?? Object.keys(methods);
  const absent = wanted.filter((name) => methods[name] === undefined);
  if (absent.length > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected renderings of ${absent.join(', ')}, found ${Object.keys(methods).sort().join(', ') || 'none'}`,
    );
  const read = async (paths: Readonly<Record<string, string>>): Promise<Pictures> => {
    const out = new Map<string, Uint8Array>();
    for (const [subject, file] of Object.entries(paths)) {
      options.signal?.throwIfAborted();
      out.set(subject, await readPicture(file));
    }
    return out;
  };
  const treated = new Map<string, Pictures>();
  for (const name of wanted) treated.set(name, await read(methods[name] ?? {}));
  return { queries: await read(queries), methods: treated };
}

interface Paths {
  readonly queries: Readonly<Record<string, string>>;
  readonly methods: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

async function fromFolder(folder: string): Promise<Paths> {
  const inside = path.join(folder, 'renderings');
  const root = (await isFolder(inside)) ? inside : folder;
  const methods: Record<string, Record<string, string>> = {};
  for (const entry of await list(root))
    if (entry.isDirectory() && !entry.name.startsWith('.'))
      methods[entry.name] = await pngsIn(path.join(root, entry.name));
  const { [QUERIES]: queries, ...rest } = methods;
  if (queries === undefined)
    throw new Refusal(
      'dataset-invalid',
      `expected a folder ${QUERIES}/ with a picture of each subject, found none`,
    );
  return { queries, methods: rest };
}

async function fromPlan(file: string): Promise<Paths> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw notReadable('the plan', cause);
    throw new Refusal('dataset-invalid', 'expected a folder of renderings or a plan in JSON, found neither', {
      cause,
    });
  }
  const result = v.safeParse(PlanSchema, json);
  if (!result.success)
    throw new Refusal(
      'dataset-invalid',
      'expected a plan with "queries" and "methods" that name a PNG file for each subject, found another content',
    );
  const resolve = (paths: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(paths).map(([subject, to]) => [subject, path.resolve(path.dirname(file), to)]),
    );
  const { queries, methods } = result.output;
  return {
    queries: resolve(queries),
    methods: Object.fromEntries(Object.entries(methods).map(([name, of]) => [name, resolve(of)])),
  };
}

async function pngsIn(folder: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const { name } of await list(folder))
    if (/\.png$/i.test(name) && !name.startsWith('.')) out[name.slice(0, -4)] = path.join(folder, name);
  return out;
}

async function list(folder: string): Promise<{ readonly name: string; isDirectory(): boolean }[]> {
  return readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw notReadable('a folder of renderings', cause);
  });
}

async function isFolder(where: string): Promise<boolean> {
  try {
    return (await stat(where)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw notReadable('the renderings', error);
  }
}

async function readPicture(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES)
      throw new Refusal(
        'dataset-invalid',
        `expected renderings of at most ${MOST_BYTES >> 20} MB, found one of ${Math.ceil(size / 2 ** 20)} MB`,
      );
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw notReadable('a rendering', cause);
  }
}

function notReadable(what: string, cause: unknown): Refusal {
  return new Refusal('not-readable', `${what} cannot be read (${codeOf(cause)})`, { cause });
}
