import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const PROJECTS = ['workspace', 'browser', 'packages', 'types', 'system'];
const LONG =
  /^test\/(?:e2e|write-behind)\/|\/(?:analyser|decorators|examples|hostile-bytes|stampede)\.test\.ts$|\/conformance\./;

/**
 * What is known to take long begins first, or it would run alone at the end; then, as ever, large files before small ones.
 * Files of one project follow each other, as they share their processes.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification): number =>
      2 * PROJECTS.indexOf(project.name) + (LONG.test(relative(this.ctx.config.root, moduleId)) ? 0 : 1);
    return (await super.sort(files)).sort((one, two) => rank(one) - rank(two));
  }
}
