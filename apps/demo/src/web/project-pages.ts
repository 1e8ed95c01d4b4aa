import { html } from 'hono/html';
import type { Finding } from '../analyser/report.ts';
import type { Answer } from '../instance/answer.ts';
import type { Latest } from '../instance/service.ts';
import { duration } from '../stage/latencies.ts';
import { answeredBy, type Markup } from './layout.ts';
import type { Project } from './projects.ts';

export interface ReadFile {
  readonly path: string;
  readonly answer: Answer<Latest>;
}

export function projectList(projects: readonly Project[]): Markup {
  return html`<p>Open a project: each of its files is analysed once, and then answered by a tier of the cache.</p>
    <ul>
      ${projects.map(({ name, paths }) => html`<li><a href="${addressOf(name)}">${name}</a> ${paths.length} files</li>`)}
    </ul>`;
}

export function projectPage({ name }: Project, files: readonly ReadFile[], ms: number): Markup {
  const by = (tier: string): number => files.filter(({ answer }) => answer.by === tier).length;
  return html`<p>
      ${files.length} reports in ${duration(ms)}: ${by('L1')} from the memory of this process, ${by('L2')} from Redis,
      ${by('load')} analysed now.
    </p>
    <form method="post" action="${addressOf(name)}/clear"><button>Clear the project's cache</button></form>
    <div class="scrolls">
      <table>
        <tr>
          <th>file</th>
          <th>lines</th>
          <th>complexity</th>
          <th>findings</th>
          <th>answered by</th>
        </tr>
        ${files.map(
          ({ path, answer: { value, by: tier, ms: took } }) =>
            html`<tr>
              <td><a href="${fileAddress(name, path)}">${path}</a></td>
              <td>${value.report.lines}</td>
              <td>${value.report.complexity}</td>
              <td>${value.report.findings.length}</td>
              <td><span class="by ${tier}">${tier}</span> ${duration(took)}</td>
            </tr>`,
        )}
      </table>
    </div>`;
}

export interface FilePageProps {
  readonly project: string;
  readonly file: ReadFile;
  readonly text: string;
  readonly findings: readonly Finding[];
  /** How it went, if it was saved just now. */
  readonly saved: string | undefined;
}

export function filePage({ project, file: { path, answer }, text, findings, saved }: FilePageProps): Markup {
  const { lines, functions, complexity } = answer.value.report;
  return html`<p><a href="${addressOf(project)}">${project}</a></p>
    ${saved === undefined ? '' : html`<p role="status">${saved}</p>`}
    <p id="answer">Answered by ${answeredBy(answer)}</p>
    <p>${lines} lines, ${functions.length} functions, complexity ${complexity}</p>
    <h2>Findings</h2>
    ${findings.length === 0 ? html`<p>None.</p>` : ''}
    <ul id="findings">
      ${findings.map(({ kind, line, message }) => html`<li>line ${line}: <strong>${kind}</strong> ${message}</li>`)}
    </ul>
    <h2>Edit</h2>
    <form method="post" action="${fileAddress(project, path)}">
      <label for="text">Your folder stays as it is: a copy is edited.</label>
      <textarea id="text" name="text" rows="24" spellcheck="false">${text}</textarea>
      <button>Save and analyse</button>
    </form>`;
}

function addressOf(project: string): string {
  return `/projects/${encodeURIComponent(project)}`;
}

export function fileAddress(project: string, path: string): string {
  return `${addressOf(project)}/file?path=${encodeURIComponent(path)}`;
}
