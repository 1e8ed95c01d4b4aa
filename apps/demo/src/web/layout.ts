import { html, raw } from 'hono/html';
import type { Answer, AnsweredBy } from '../instance/answer.ts';
import { duration } from '../stage/latencies.ts';

/** Markup whose parts were escaped. */
export type Markup = ReturnType<typeof html>;

export interface Chrome {
  /** The instance that serves the page. */
  readonly instance: string;
  /** The same page of the other instance, if there is one. */
  readonly other: { readonly name: string; readonly url: string } | undefined;
}

const MEANING: Readonly<Record<AnsweredBy, string>> = {
  L1: 'the memory of this process',
  L2: 'Redis',
  load: 'the parser: nobody had it',
};

/** A whole page. Every text in it is escaped; there is no script. */
export function page(title: string, { instance, other }: Chrome, path: string, content: Markup): Markup {
  return html`${raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - tierkit demo</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <a href="/">Projects</a>
          <span>instance ${instance}</span>
          ${other === undefined ? '' : html`<a href="${other.url}${path}">this page on ${other.name}</a>`}
          <a href="/admin/">Dashboard</a>
        </header>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
}

export function answeredBy({ by, ms }: Pick<Answer<unknown>, 'by' | 'ms'>): Markup {
  return html`<span class="by ${by}">${by}</span> ${MEANING[by]}, ${duration(ms)}`;
}
