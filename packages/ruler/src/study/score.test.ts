import { describe, expect, it } from 'vitest';
import { type Answer, checkAnswers, parseAnswers } from './answers.js';
import { parseKey, type StudyKey } from './key.js';
import { scoreStudy } from './score.js';
import { studyTable } from './table.js';

const subjects = ['a', 'b', 'c', 'd', 'e'];
const question = (id: string, answer: number, method = 'm'): StudyKey['questions'][number] => ({
  id,
  method,
  query: subjects[answer - 1] ?? '',
  candidates: subjects,
  answer,
});
const key: StudyKey = {
  format: 'prosopon-study-key',
  version: 1,
  study: 's1',
  methods: ['m', 'other'],
  subjects,
  questions: [question('q1', 1), question('q2', 2), question('q3', 3), question('q4', 4, 'other')],
  pages: [
    { worker: 1, questions: ['q1', 'q2', 'q3'] },
    { worker: 2, questions: ['q2', 'q4'] },
  ],
};
const csv = (...lines: string[]): string => ['study,worker,question,answer,seconds', ...lines].join('\r\n');
const answer = (subject: string, outcome: Answer['outcome'], worker = 1): Answer => ({
  method: 'm',
  subject,
  question: subject,
  worker,
  outcome,
  seconds: 1,
});

describe('parseAnswers and checkAnswers', () => {
  it('joins answers with the key', () => {
    const rows = parseAnswers(csv('s1,1,q1,1,2.5', 's1,1,q2,5,1', 's1,1,q3,u,0.1', 's1,2,q4,4,3', ''));
    expect(checkAnswers(rows, key).map(({ method, subject, outcome }) => [method, subject, outcome])).toEqual(
      [
        ['m', 'a', 'right'],
        ['m', 'b', 'wrong'],
        ['m', 'c', 'uncertain'],
        ['other', 'd', 'right'],
      ],
    );
  });

  it('reads what a spreadsheet has made of the file', () => {
    const same = parseAnswers(csv('s1,1,q1,1,2.5', 's1,1,q3,u,10'));
    expect(
      parseAnswers('\uFEFFstudy;worker;question;answer;seconds\ns1;1;q1;1;2,5\n"s1";"1";"q3";"u";"10"\n\n'),
    ).toEqual(same);
    expect(
      parseAnswers('"study","worker","question","answer","seconds"\n"s1",1,"q1","1","2,5"\ns1,1,q3,u,10'),
    ).toEqual(same);
  });

  it.each([
    ['', 'found another first line'],
    ['study,worker\n', 'found another first line'],
    [csv('s1,1,q1,6,1'), 'line 2 of the answers, found one with an answer that is neither'],
    [csv('s1,1,q1,1,1', 's1,0,q1,1,1'), 'line 3 of the answers, found one with a worker'],
    [csv('s1,1,q1,1,x'), 'seconds that are not a number'],
    [csv('s1,1,q1,1'), '4 columns'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAnswers(text)).toThrow(message);
  });

  it.each([
    [csv('s2,1,q1,1,1'), 'found 1 of another'],
    [csv('s1,1,q4,1,1'), 'one of worker 1 to a question that was not asked there'],
    [csv('s1,3,q1,1,1'), 'one of worker 3'],
    [csv('s1,1,q1,1,1', 's1,1,q1,2,1'), 'found 1 given twice'],
  ])('refuses answers that are not this key: %j', (text, message) => {
    expect(() => checkAnswers(parseAnswers(text), key)).toThrow(message);
  });
});

describe('parseKey', () => {
  it('reads a key and refuses what is none', () => {
    expect(parseKey(JSON.stringify(key))).toEqual(key);
    expect(() => parseKey('{')).toThrow('not JSON');
    expect(() => parseKey(JSON.stringify({ ...key, version: 2 }))).toThrow('whose version is not');
    const wrong = { ...key, questions: [{ ...question('q1', 1), answer: 2 }] };
    expect(() => parseKey(JSON.stringify({ ...wrong, pages: [] }))).toThrow('contradicts itself');
  });
});

describe('scoreStudy', () => {
  it('counts by hand: 3 right, 5 wrong, 2 uncertain of 10', () => {
    const outcomes = [
      'right',
      'right',
      'right',
      'wrong',
      'wrong',
      'wrong',
      'wrong',
      'wrong',
      'uncertain',
      'uncertain',
    ] as const;
    const [score] = scoreStudy(outcomes.map((outcome, i) => answer(`p${i % 5}`, outcome, 1 + (i % 2))));
    expect(score).toMatchObject({
      method: 'm',
      answers: 10,
      subjects: 5,
      workers: 2,
      right: 3,
      wrong: 5,
      uncertain: 2,
    });
    expect(score?.guess.value).toBeCloseTo((3 + 2 / 5) / 10, 12);
    expect(score?.zero.value).toBeCloseTo(3 / 10, 12);
    expect(score?.excluded.value).toBeCloseTo(3 / 8, 12);
    expect(score?.guess.bySubject.n).toBe(5);
    expect(score?.guess.byAnswer.n).toBe(10);
    expect(score?.guess.byWorker.n).toBe(2);
  });

  it('has the spread of a binomial by answer when nobody is uncertain', () => {
    // 667 answers at 23.88 %: the papers print 1.68 (cell C-DeID-GAN on OASIS-3); theory gives 1.651.
    const n = 667;
    const right = Math.round(0.2388 * n);
    const [score] = scoreStudy(
      Array.from({ length: n }, (_, i) => answer(`p${i % 18}`, i < right ? 'right' : 'wrong')),
    );
    const p = right / n;
    const theory = Math.sqrt((p * (1 - p)) / n);
    // The s.d. of 2,000 resamples is known to 1.6 %.
    expect(Math.abs((score?.guess.sd ?? 0) / theory - 1)).toBeLessThan(0.06);
    expect(score?.guess.byAnswer.low).toBeCloseTo(p - 1.96 * theory, 2);
    expect(score?.guess.byAnswer.high).toBeCloseTo(p + 1.96 * theory, 2);
  });

  it('puts the luck of guessing into the interval: all uncertain spreads like coin throws at 1 in 5', () => {
    const n = 400;
    const [score] = scoreStudy(Array.from({ length: n }, (_, i) => answer(`p${i % 20}`, 'uncertain')));
    const theory = Math.sqrt((0.2 * 0.8) / n);
    expect(score?.guess.value).toBeCloseTo(0.2, 12);
    expect(Math.abs((score?.guess.sd ?? 0) / theory - 1)).toBeLessThan(0.06);
    expect(score?.zero.value).toBe(0);
    expect(score?.zero.byAnswer).toMatchObject({ low: 0, high: 0 });
    expect(score?.excluded.value).toBeNaN();
  });

  it('is wider by subject than by answer when the answers about a subject agree', () => {
    // 10 subjects with 20 answers each: everyone finds 3 of them, nobody the others.
    const answers = Array.from({ length: 200 }, (_, i) =>
      answer(`p${i % 10}`, i % 10 < 3 ? 'right' : 'wrong'),
    );
    const [score] = scoreStudy(answers);
    const width = ({ low, high }: { low: number; high: number }): number => high - low;
    const ratio =
      width(score?.guess.bySubject ?? { low: 0, high: 0 }) /
      width(score?.guess.byAnswer ?? { low: 0, high: 1 });
    // Theory: the square root of the 20 answers that count as one.
    expect(ratio).toBeGreaterThan(3.5);
    expect(ratio).toBeLessThan(5.5);
    expect(score?.guess.value).toBeCloseTo(0.3, 12);
  });

  it('keeps the order and the rows of the methods given, with n/a where nothing was answered', () => {
    const scores = scoreStudy([answer('a', 'right'), answer('b', 'wrong')], ['other', 'm']);
    expect(scores.map(({ method, answers }) => [method, answers])).toEqual([
      ['other', 0],
      ['m', 2],
    ]);
    const table = studyTable(scores);
    expect(table).toMatch(/^other +0 +0 +0 +0 +n\/a/m);
    expect(table).toMatch(/^m +2 +2 +1 +0 +50\.0 +0\.0-100\.0 +0\.0-100\.0/m);
  });

  it('repeats', () => {
    const answers = Array.from({ length: 30 }, (_, i) =>
      answer(`p${i % 7}`, i % 3 === 0 ? 'right' : 'uncertain'),
    );
    expect(scoreStudy(answers)).toEqual(scoreStudy(answers));
  });
});
