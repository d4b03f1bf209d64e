import { describe, expect, it } from 'vitest';
import { buildStudy, type Renderings } from './build.js';
import { cleanPng } from './png-clean.js';
import { fakePicture, fakeRenderings, subjectName } from './testing/fake-renderings.js';

const seed = Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const options = { questions: 12, workers: 2, answersPerQuestion: 1 };
const renderings = fakeRenderings({ subjects: 6, methods: ['quickshear', 'cp-mae'] });

interface PageData {
  readonly questions: readonly {
    readonly id: string;
    readonly query: string;
    readonly candidates: readonly string[];
  }[];
  readonly pictures: Readonly<Record<string, string>>;
}
function dataOf(html: string): PageData {
  return JSON.parse(/id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '') as PageData;
}
const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');

describe('buildStudy', () => {
  it('shows the pictures that the key says, in its order', () => {
    const { key, pages } = buildStudy(renderings, options, seed);
    const byId = new Map(key.questions.map((q) => [q.id, q]));
    for (const [i, { html }] of pages.entries()) {
      const { questions, pictures } = dataOf(html);
      expect(questions.map(({ id }) => id)).toEqual(key.pages[i]?.questions);
      for (const shown of questions) {
        const question = byId.get(shown.id);
        const treated = renderings.methods.get(question?.method ?? '');
        expect(pictures[shown.query]).toBe(base64(renderings.queries.get(question?.query ?? '')));
        expect(shown.candidates.map((name) => pictures[name])).toEqual(
          question?.candidates.map((subject) => base64(treated?.get(subject))),
        );
      }
    }
  });

  it('tells a page neither subjects nor methods nor answers', () => {
    const { pages } = buildStudy(renderings, options, seed);
    for (const { html } of pages) {
      expect(html).not.toMatch(/secret|quickshear|cp-mae|https?:/);
      const { questions, pictures } = dataOf(html);
      for (const question of questions)
        expect(Object.keys(question).sort()).toEqual(['candidates', 'id', 'query']);
      // The picture of the answer has a name that has nothing to do with the query's.
      for (const { query, candidates } of questions) expect(candidates).not.toContain(query);
      expect(Object.keys(pictures)).toEqual(Object.keys(pictures).sort());
    }
  });

  it('makes the same bytes from the same seed, another study from another', () => {
    const again = buildStudy(renderings, options, seed);
    expect(again).toEqual(buildStudy(renderings, options, seed));
    expect(buildStudy(renderings, options, Uint32Array.of(9, 2, 3, 4, 5, 6, 7, 8)).key.study).not.toBe(
      again.key.study,
    );
  });

  it('refuses fewer than five subjects, missing, strange, odd and equal pictures', () => {
    const change = (
      patch: Partial<Record<string, Uint8Array | undefined>>,
      from = renderings,
    ): Renderings => {
      const of = new Map(from.methods.get('cp-mae'));
      for (const [subject, bytes] of Object.entries(patch))
        if (bytes === undefined) of.delete(subject);
        else of.set(subject, bytes);
      return { ...from, methods: new Map(from.methods).set('cp-mae', of) };
    };
    const message = (given: Renderings): string => {
      try {
        buildStudy(given, options, seed);
      } catch (error) {
        return (error as Error).message;
      }
      return 'no refusal';
    };
    const name = subjectName(0);
    expect(message(fakeRenderings({ subjects: 4, methods: ['a'] }))).toContain('at least 5, found 4');
    expect(message(change({ [name]: undefined }))).toContain('by cp-mae, found 1 missing');
    expect(message(change({ stranger: fakePicture(1, 1, 24) }))).toContain(
      'found 1 renderings by cp-mae without',
    );
    expect(message(change({ [name]: fakePicture(1, 1, 20) }))).toContain('one size, found 2');
    expect(message(change({ [name]: fakePicture(0, 0, 24) }))).toContain(
      'found 1 pictures of cp-mae that are',
    );
    expect(message(change({ [name]: new Uint8Array(50) }))).toContain('found another kind of file');
    expect(message(change({ [name]: fakePicture(1, 1, 24).subarray(0, 100) }))).toContain('ends too early');
    for (const given of [change({ [name]: undefined }), change({ [name]: new Uint8Array(9) })])
      expect(message(given)).not.toContain('secret');
  });
});

describe('cleanPng', () => {
  it('drops text and what follows the end, keeps the picture', () => {
    const png = fakePicture(1, 1, 16);
    const note = new TextEncoder().encode('tEXtAuthor\0sub-secret001');
    const chunk = new Uint8Array(8 + note.length);
    new DataView(chunk.buffer).setUint32(0, note.length - 4);
    chunk.set(note, 4);
    // After the signature (8) and the header (25).
    const dirty = Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33), 1, 2, 3]);
    const clean = cleanPng(dirty);
    expect(clean).toMatchObject({ width: 16, height: 16 });
    expect(base64(clean.bytes)).toBe(base64(png));
  });
});
