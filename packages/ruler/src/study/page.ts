/**
 * The page of a human study: one HTML file with everything in it, for one worker. It needs no network and cannot use
 * one (its content policy forbids every connection); answers stay in the browser until the worker saves them.
 *
 * @example
 * const html = studyPage({ study, worker: 1, questions, pictures });
 */
import { base64, dataBlock, scriptedPage } from 'prosopon/imaging';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';

export interface PageQuestion {
  readonly id: string;
  /** Names of pictures. */
  readonly query: string;
  readonly candidates: readonly string[];
}

export interface PageContent {
  readonly study: string;
  readonly worker: number;
  readonly questions: readonly PageQuestion[];
  /** PNG files by random name. */
  readonly pictures: ReadonlyMap<string, Uint8Array>;
}

export function studyPage({ study, worker, questions, pictures }: PageContent): string {
  const data = {
    study,
    worker,
    questions,
    // By name, which is random: in any other order the page would tell what belongs together.
    pictures: Object.fromEntries([...pictures].sort().map(([name, png]) => [name, base64(png)])),
  };
  return scriptedPage({
    title: 'Which one is the same person?',
    style: PAGE_STYLE,
    script: PAGE_SCRIPT,
    body: `${BODY}
${dataBlock('data', data)}`,
  });
}

const BODY = `<noscript><p class="notice">This page needs JavaScript; it sends nothing anywhere.</p></noscript>
<p id="notice" class="notice" role="alert" hidden></p>
<p id="status" class="unseen" role="status"></p>

<main id="intro" hidden>
<h1 tabindex="-1">Which one is the same person?</h1>
<p>You will see one head from a brain scan, and below it five others. The scans of the five were changed so that the
people in them should not be known again. One of the five is the person above.</p>
<ul>
<li>Choose the one you think it is: click it, or press <kbd>1</kbd> to <kbd>5</kbd>.</li>
<li>If you cannot tell, choose “I am uncertain”, or press <kbd>U</kbd>.</li>
<li>To change your last answer, choose “Back”, or press <kbd>B</kbd>.</li>
</ul>
<p>The head above is seen from another angle than the five. There is no time limit. You may close this page and go on
later in the same browser. Your answers stay on this computer until you save them to a file at the end.</p>
<p>Please do not copy or pass on the pictures: they show real people.</p>
<p><button id="start" class="main" type="button">Start</button></p>
</main>

<main id="task" hidden>
<header>
<h1 id="counter" tabindex="-1"></h1>
<progress id="progress" value="0" max="1" aria-label="Questions answered"></progress>
</header>
<figure id="query">
<figcaption>This person …</figcaption>
<img alt="Head of the person to find" width="256" height="256">
</figure>
<h2 id="ask">… is which of these?</h2>
<div id="candidates" role="group" aria-labelledby="ask"></div>
<div id="actions">
<button id="back" type="button" aria-keyshortcuts="b">Back <kbd aria-hidden="true">B</kbd></button>
<button id="uncertain" type="button" aria-keyshortcuts="u">I am uncertain <kbd aria-hidden="true">U</kbd></button>
</div>
</main>

<main id="end" hidden>
<h1 tabindex="-1">Thank you: that was the last question</h1>
<p id="summary"></p>
<p><button id="save" class="main" type="button">Save my answers</button></p>
<p id="saved" role="status"></p>
<p>Give the saved file (its name ends in <code>.csv</code>) to the person who asked you. It holds your answers and how
long each took, and nothing about you or this computer.</p>
<p><button id="back-from-end" type="button" aria-keyshortcuts="b">Back <kbd aria-hidden="true">B</kbd></button>
<button id="forget" type="button">Delete my answers from this browser</button></p>
</main>
`;
