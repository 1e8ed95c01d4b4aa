import { buildDashboard } from '../../.ci/lib/dashboard.mjs';

/** What the browser is shown is built of the sources that are tested. */
export const setup = (): Promise<void> => buildDashboard();
