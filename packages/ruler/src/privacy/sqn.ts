/**
 * SQN, the learned attacker: a siamese ResNet-18 gives each head a unit vector from its renderings (front, left, right),
 * and who is who is read off their products.
 *
 * `sqn` is the transfer attacker, trained on originals of the train split. An adaptive one is trained on a method's own
 * output (`training/README.md`) and does not ship: give its name, and a runner whose models folder holds it.
 *
 * @example
 * const queries = await Promise.all(originals.map((p) => embedPictures(p, networks)));
 * const similarity = vectorSimilarity(queries, candidates, 'dot'); // rows: queries; NaN without pictures
 */
import { Failure, type NetworkRunner } from 'prosopon';
import type { PixelImage } from 'prosopon/imaging';

export const SQN_MODEL = 'sqn';
/** Pixels along an edge of the renderings: `attackPictures` with the style `relief`. */
export const SQN_SIZE = 128;
const SQN_VIEWS = ['front', 'left', 'right'] as const;

/** Grey renderings of 128 x 128 pixels over 256 mm. */
export type SqnPictures = Readonly<Record<(typeof SQN_VIEWS)[number], PixelImage>>;

/**
 * @param modelName `sqn`, or an adaptive one that the runner finds
 * @returns a unit vector
 * @throws {Failure} internal when a picture is not a grey one of 128 x 128; network-failed
 */
export async function embedPictures(
  pictures: SqnPictures,
  networks: NetworkRunner,
  modelName: string = SQN_MODEL,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const plane = SQN_SIZE * SQN_SIZE;
  const data = new Float32Array(3 * plane);
  SQN_VIEWS.forEach((view, v) => {
    const { width, height, channels, data: bytes } = pictures[view];
    if (width !== SQN_SIZE || height !== SQN_SIZE || channels !== 1)
      throw new Failure(
        'internal',
        `expected grey pictures of ${SQN_SIZE} x ${SQN_SIZE}, found ${width} x ${height} x ${channels}`,
      );
    for (let i = 0; i < plane; i++) data[v * plane + i] = (bytes[i] as number) / 255;
  });
  const { embedding } = await networks.run(
    modelName,
    { pictures: { data, shape: [1, 3, SQN_SIZE, SQN_SIZE] } },
    signal,
  );
  if (!(embedding?.data instanceof Float32Array))
    throw new Failure('network-failed', `${modelName} returned no "embedding"`);
  return embedding.data;
}
