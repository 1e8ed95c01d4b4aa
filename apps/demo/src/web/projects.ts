import { listSources } from '../source-folder.ts';

/** A project as the page shows it: a folder below the one that is analysed, or what lies beside those folders. */
export interface Project {
  readonly name: string;
  /** Relative to the root, with forward slashes. */
  readonly paths: readonly string[];
}

const BESIDE = 'files of the folder itself';

/** The projects of a folder, in the order of their paths. Whatever a visitor asks for has to be in here. */
export async function projectsOf(root: string): Promise<readonly Project[]> {
  const { files } = await listSources(root);
  const projects = new Map<string, string[]>();
  for (const { path } of files) {
    const slash = path.indexOf('/');
    const name = slash < 0 ? BESIDE : path.slice(0, slash);
    const paths = projects.get(name);
    if (paths === undefined) projects.set(name, [path]);
    else paths.push(path);
  }
  return Array.from(projects, ([name, paths]) => ({ name, paths }));
}
