/**
 * The product's side of scripts/check-formats-nibabel.py: reads each image of a list with the compiled package,
 * writes down what it read, and writes the image again.
 *
 * @example
 * node scripts/formats-driver.mjs JOBS.json   # [{ "input": PATH, "dump": PATH, "output": PATH }, ...]
 */
import './lib/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { encodeImage, scaledData } from '../dist/formats/stored-image.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { loadImage } from '../dist/node/image-files.js';

for (const { input, dump, output } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const image = await loadImage(input, { allowConstant: true });
  const { format, grid, volumes, datatype, littleEndian, stored } = image;
  const about = { format, grid, volumes, datatype, ...image.scaling[0], littleEndian };
  writeFileSync(`${dump}.json`, JSON.stringify(about));
  writeFileSync(`${dump}.stored`, new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
  const values = Array.from({ length: volumes }, (_, t) => new Uint8Array(scaledData(image, t).buffer));
  writeFileSync(`${dump}.values`, Buffer.concat(values));
  const files = await encodeImage(image, stored, nodeGzip, { name: output });
  for (const { name, bytes } of files) writeFileSync(name, bytes);
}
