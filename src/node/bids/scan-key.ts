/**
 * What the result of an image depends on, as one digest: the image's bytes and everything that was asked for. A run that goes on
 * after another does anew what has another digest.
 *
 * @example
 * const key = await scanKey(file, { method: 'cp-mae', resolution: 256 });
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { VERSION } from '../../deidentify/version.js';

/** @throws system errors of reading, and the reason of the signal */
export async function fileDigest(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, ...(signal === undefined ? [] : [{ signal }]));
  return hash.digest('hex');
}

/** @param asked all that the result depends on besides the image; plain values */
export function keyOf(digest: string, asked: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, digest, asked]))
    .digest('hex')
    .slice(0, 32);
}
